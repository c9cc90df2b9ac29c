"""The process of the store: its unit's main process, or the owner of its port."""
import subprocess

import processes
from parameters import Refused


def unit_property(unit, name):
    """What systemd says of its unit, or None when it says nothing."""
    try:
        shown = subprocess.run(
            ["systemctl", "show", "-p", name, "--value", unit], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return shown.stdout.strip() or None if shown.returncode == 0 else None


def main_pid(unit):
    text = unit_property(unit, "MainPID") or ""
    return int(text) if text.isdigit() and int(text) > 1 else None


def find(unit, port):
    """(pid, start time) of the store's process, or None."""
    pid = main_pid(unit) or processes.owner_of_port(port)
    found = processes.stat(pid) if pid else None
    return (pid, found[1]) if found and found[0] not in "ZX" else None


def port_of(values):
    return int(values["storePorts"].split(",")[0])


def require(values):
    """(pid, start time) of the store's process. Raises Refused when there is none."""
    found = find(values["unit"], port_of(values))
    if not found:
        raise Refused(f"unit, storePorts: no process of {values['unit']} and none that listens on {port_of(values)}")
    return found


def environment(state):
    """What names the recorded process to a script."""
    pid, start_time = state["process"]
    return {"HOLDFAST_PID": str(pid), "HOLDFAST_START_TIME": start_time}
