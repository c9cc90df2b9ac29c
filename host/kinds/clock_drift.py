"""CLOCK_DRIFT: the clock of the host is wrong by a fixed offset, with NTP stopped. True time is kept by the boot clock, so
that the way back needs no NTP server.

As a program, with the environment of its script: `-m kinds.clock_drift step|back|state`.
"""
import os
import shutil
import subprocess
import sys
import time

import service_manager
from lease import now
from parameters import Refused

RESOURCE = "clock"
PARAMETERS = {"offsetMs": r"-?[1-9][0-9]{0,5}", "disposable": r"yes|no"}
RANGES = {"offsetMs": (-240_000, 240_000)}
# Beyond it leases and time stamps of a store contradict each other.
HARMLESS_MS = 500
SERVICES = ("chrony", "chronyd", "systemd-timesyncd", "ntpd", "ntp", "ntpsec", "openntpd", "phc2sys")
# As the kernel cuts names off.
DAEMONS = ("chronyd", "systemd-timesyn", "ntpd", "phc2sys")
FIRST_PID_NAMESPACE = 4026531836
CAP_SYS_TIME = 25
TOLERANCE_NS = 2_000_000
BACK_SECONDS = 10
# Who is stopped together with a unit. It may be the store.
STOPPED_TOO = ("RequiredBy", "RequisiteOf", "BoundBy", "ConsistsOf", "PropagatesStopTo")


def check(values):
    if abs(int(values["offsetMs"])) > HARMLESS_MS and values["disposable"] != "yes":
        raise Refused(f"offsetMs: beyond {HARMLESS_MS} ms the cluster must be disposable: what it does to data stays")


def prepare(values, state):
    if os.stat("/proc/self/ns/pid").st_ino != FIRST_PID_NAMESPACE:
        raise Refused("CLOCK_DRIFT: this is a container, its clock is that of the whole machine")
    with open("/proc/self/status", encoding="utf-8") as file:
        capabilities = next(int(line.split()[1], 16) for line in file if line.startswith("CapEff:"))
    if not capabilities >> CAP_SYS_TIME & 1:
        raise Refused("CLOCK_DRIFT: this process may not set the clock (CAP_SYS_TIME)")
    units = services()
    for unit, active in units.items():
        if active not in ("active", "inactive", "failed"):
            raise Refused(f"CLOCK_DRIFT: {unit} is {active}; its state must be settled")
    running = [unit for unit, active in units.items() if active == "active"]
    refuse_unknown_daemon(running)
    refuse_dependents(running)
    state["facts"].update(ntp=running, anchorNanoseconds=anchor())
    return ["set the clock to what the boot clock says it is", *(f"systemctl start {unit}" for unit in running)]


def environment(state):
    facts = state["facts"]
    return {
        "HOLDFAST_OFFSET_MS": state["values"]["offsetMs"],
        "HOLDFAST_ANCHOR_NS": str(facts["anchorNanoseconds"]),
        "HOLDFAST_NTP": " ".join(facts["ntp"]),
    }


def observe(state):
    drift = "drifted" if is_drifted(state["facts"]["anchorNanoseconds"], int(state["values"]["offsetMs"])) else "true"
    return [f"clock {drift} by the boot clock", *(f"{unit} {active}" for unit, active in services().items())]


def wait_back(state):
    """Why NTP does not run again, or None. A machine that goes down starts nothing any more; its next start does."""
    while True:
        found = services()
        missing = [f"{unit} is {found.get(unit)}" for unit in state["facts"]["ntp"] if found.get(unit) != "active"]
        if not missing or service_manager.is_going_down():
            return None
        if now() - state["liftedAtSeconds"] > BACK_SECONDS:
            return f"{', '.join(missing)} {BACK_SECONDS} s after it was started"
        time.sleep(0.1)


def services():
    """{unit: ActiveState} of the services that are known to set the clock, by the names systemd has for them."""
    if not shutil.which("systemctl") or not os.path.isdir("/run/systemd/system"):
        return {}
    shown = show(("Id", "LoadState", "ActiveState"), [f"{name}.service" for name in SERVICES])
    return {unit["Id"]: unit["ActiveState"] for unit in shown if unit["LoadState"] != "not-found"}


def show(properties, units):
    """[{property: value}] of units, by systemd's word."""
    command = ["systemctl", "show", "-p", ",".join(properties), "--", *units]
    try:
        shown = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise Refused(f"CLOCK_DRIFT: which NTP services are active is not known: {error}") from None
    return [dict(line.split("=", 1) for line in block.splitlines()) for block in shown.strip().split("\n\n")]


def refuse_dependents(running):
    """What systemd stops with a service is not started with it again. Through units that have ended as well."""
    seen, asked = set(running), running
    while asked:
        shown = show(("Id", "ActiveState", *STOPPED_TOO), asked)
        for unit in shown:
            if unit["Id"] not in running and unit["ActiveState"] not in ("inactive", "failed"):
                raise Refused(f"CLOCK_DRIFT: {unit['Id']} would be stopped together with {' '.join(running)}")
        asked = sorted({name for unit in shown for kind in STOPPED_TOO for name in unit.get(kind, "").split()} - seen)
        seen.update(asked)


def refuse_unknown_daemon(running):
    """One that is not of a service we can stop would set the clock right again, or slew it for ever."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
                name = file.read().strip()
            if name not in DAEMONS:
                continue
            with open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:
                groups = file.read()
        except OSError:
            continue
        if not any(f"/{unit}" in groups for unit in running):
            raise Refused(f"CLOCK_DRIFT: process {pid} ({name}) sets the clock and is of no active unit among {SERVICES}")


def anchor():
    """Wall clock minus boot clock, in nanoseconds. Of some readings the one with the shortest pause in its middle."""
    best = None
    for _ in range(9):
        before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        wall = time.clock_gettime_ns(time.CLOCK_REALTIME)
        after = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        if best is None or after - before < best[0]:
            best = (after - before, wall - (before + after) // 2)
    return best[1]


def is_drifted(anchor_ns, offset_ms):
    """Is the clock nearer to where the fault puts it than to the truth? What NTP corrects afterwards is not the fault."""
    return abs(anchor() - anchor_ns - offset_ms * 1_000_000) < abs(offset_ms) * 500_000


def put(anchor_ns):
    """Sets the clock. Again if it is not right then: we may have been stopped, or the machine suspended, in between.
    Raises OSError when it cannot be set."""
    for _ in range(20):
        if abs(anchor() - anchor_ns) <= TOLERANCE_NS:
            return
        time.clock_settime_ns(time.CLOCK_REALTIME, time.clock_gettime_ns(time.CLOCK_BOOTTIME) + anchor_ns)
    raise OSError("the clock does not keep the time it is set to")


def main(verb):
    anchor_ns, offset_ms = int(os.environ["HOLDFAST_ANCHOR_NS"]), int(os.environ["HOLDFAST_OFFSET_MS"])
    if verb == "state":
        print("drifted" if is_drifted(anchor_ns, offset_ms) else "true")
    else:
        put(anchor_ns + (offset_ms * 1_000_000 if verb == "step" else 0))


if __name__ == "__main__":
    main(sys.argv[1])
