"""CLOCK_DRIFT: the clock of the host is wrong by a fixed offset, with NTP stopped. True time is kept by the boot
clock, so that the revert needs no NTP server. The step itself tells the kernel that its clock is not synchronised, so
it is never written into the hardware's."""

from __future__ import annotations

import contextlib
import os
import time

from faults import Counting, Effect, Fault, FaultRecord, Pipes
from linux import command, systemd
from linux.boot_clock import now
from refused import Refused

#: Beyond it leases and time stamps of a store contradict each other.
HARMLESS_MS = 500
SERVICES = ("chrony", "chronyd", "systemd-timesyncd", "ntpd", "ntp", "ntpsec", "openntpd", "phc2sys")
#: As the kernel cuts names off.
DAEMONS = ("chronyd", "systemd-timesyn", "ntpd", "phc2sys")
FIRST_PID_NAMESPACE = 4026531836
CAP_SYS_TIME = 25
TOLERANCE_NS = 2_000_000
BACK_SECONDS = 10
#: Who is stopped together with a unit. It may be the store.
STOPPED_TOO = ("RequiredBy", "RequisiteOf", "BoundBy", "ConsistsOf", "PropagatesStopTo")


class ClockDrift(Fault):
    comes_back_late = True

    def prepare(self, record: FaultRecord) -> list[str]:
        if abs(offset_ms(record)) > HARMLESS_MS and record.values["disposable"] != "yes":
            raise Refused(
                f"offsetMs: beyond {HARMLESS_MS} ms the cluster must be disposable: what it does to data stays"
            )
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
        record.facts.update(ntp=running, anchorNanoseconds=anchor())
        return ["set the clock to what the boot clock says it is", *(f"systemctl start {unit}" for unit in running)]

    def apply(self, record: FaultRecord, pipes: Pipes, seconds: int) -> None:
        # Stopped, never disabled: a reboot starts it again.
        if record.facts["ntp"]:
            command.run(["systemctl", "stop", *record.facts["ntp"]])
        put(record.facts["anchorNanoseconds"] + offset_ms(record) * 1_000_000)

    def revert(self, record: FaultRecord) -> None:
        if not record.facts["ntp"]:
            set_back(record)
        elif not ntp_is_back(record):
            set_back(record)
            start_ntp(record)
        elif is_drifted(record):
            # A service that is back may have corrected the clock since: only the fault's own step is taken back.
            set_back(record)

    def status(self, record: FaultRecord) -> bool:
        return is_drifted(record) or not ntp_is_back(record)

    def observe(self, record: FaultRecord, provokes: bool) -> Effect:
        offset_seen = (anchor() - record.facts["anchorNanoseconds"]) / 1_000_000
        seen = abs(offset_seen) if is_drifted(record) else 0.0
        return Effect("clock offset", "ms", round(seen, 1), Counting.LEVEL)

    def touched(self, record: FaultRecord) -> list[str]:
        drift = "drifted" if is_drifted(record) else "true"
        return [f"clock {drift} by the boot clock", *(f"{unit} {active}" for unit, active in services().items())]

    def wait_until_back(self, record: FaultRecord) -> tuple[str | None, bool]:
        """A machine that goes down starts nothing any more; its next start does."""
        since = record.lifted_at_seconds or now()
        while True:
            found = services()
            missing = [f"{unit} is {found.get(unit)}" for unit in record.facts["ntp"] if found.get(unit) != "active"]
            if not missing or systemd.is_going_down():
                return None, False
            if now() - since > BACK_SECONDS:
                return f"{', '.join(missing)} {BACK_SECONDS} s after it was started", True
            time.sleep(0.1)


def offset_ms(record: FaultRecord) -> int:
    return int(record.values["offsetMs"])


def set_back(record: FaultRecord) -> None:
    """Once: while NTP does not come back this is asked again and again, and from then on the clock is somebody else's
    to set."""
    is_back = f"/run/holdfast/{record.fault_id}/clock-is-back"
    if os.path.exists(is_back):
        return
    put(record.facts["anchorNanoseconds"])
    with contextlib.suppress(OSError):
        os.close(os.open(is_back, os.O_WRONLY | os.O_CREAT, 0o600))


def ntp_is_back(record: FaultRecord) -> bool:
    return all(systemd.is_active(unit) for unit in record.facts["ntp"])


def start_ntp(record: FaultRecord) -> None:
    """`wait_until_back` waits for it."""
    done = command.attempt(["systemctl", "--no-block", "start", *record.facts["ntp"]])
    if done.code != 0 and not systemd.is_going_down():
        raise OSError(f"systemctl start {' '.join(record.facts['ntp'])}: {done.err.strip()[:300]}")


def services() -> dict[str, str]:
    """{unit: ActiveState} of the services that are known to set the clock, by the names systemd has for them."""
    if not command.exists("systemctl") or not os.path.isdir("/run/systemd/system"):
        return {}
    found = show(("Id", "LoadState", "ActiveState"), [f"{name}.service" for name in SERVICES])
    return {unit["Id"]: unit["ActiveState"] for unit in found if unit["LoadState"] != "not-found"}


def show(properties: tuple[str, ...], units: list[str]) -> list[dict[str, str]]:
    """[{property: value}] of units, by systemd's word."""
    try:
        shown = command.run(["systemctl", "show", "-p", ",".join(properties), "--", *units])
    except OSError as error:
        raise Refused(f"CLOCK_DRIFT: which NTP services are active is not known: {error}") from None
    blocks = shown.strip().split("\n\n")
    return [
        {name: value for name, _, value in (line.partition("=") for line in block.splitlines())} for block in blocks
    ]


def refuse_dependents(running: list[str]) -> None:
    """What systemd stops with a service is not started with it again. Through units that have ended as well."""
    seen, asked = set(running), running
    while asked:
        found = show(("Id", "ActiveState", *STOPPED_TOO), asked)
        for unit in found:
            if unit["Id"] not in running and unit["ActiveState"] not in ("inactive", "failed"):
                raise Refused(f"CLOCK_DRIFT: {unit['Id']} would be stopped together with {' '.join(running)}")
        asked = sorted({name for unit in found for kind in STOPPED_TOO for name in unit.get(kind, "").split()} - seen)
        seen.update(asked)


def refuse_unknown_daemon(running: list[str]) -> None:
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
            raise Refused(
                f"CLOCK_DRIFT: process {pid} ({name}) sets the clock and is of no active unit among {SERVICES}"
            )


def anchor() -> int:
    """Wall clock minus boot clock, in nanoseconds. Of some readings the one with the shortest pause in its middle."""
    readings: list[tuple[int, int]] = []
    for _ in range(9):
        before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        wall = time.clock_gettime_ns(time.CLOCK_REALTIME)
        after = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        readings.append((after - before, wall - (before + after) // 2))
    return min(readings)[1]


def is_drifted(record: FaultRecord) -> bool:
    """Is the clock nearer to where the fault puts it than to the truth? What NTP corrects afterwards is not the
    fault."""
    wanted = offset_ms(record)
    return abs(anchor() - record.facts["anchorNanoseconds"] - wanted * 1_000_000) < abs(wanted) * 500_000


def put(anchor_ns: int) -> None:
    """Sets the clock. Again if it is not right then: we may have been stopped, or the machine suspended, in between.
    Raises OSError when it cannot be set."""
    for _ in range(20):
        if abs(anchor() - anchor_ns) <= TOLERANCE_NS:
            return
        time.clock_settime_ns(time.CLOCK_REALTIME, time.clock_gettime_ns(time.CLOCK_BOOTTIME) + anchor_ns)
    raise OSError("the clock does not keep the time it is set to")


FAULT = ClockDrift()
