"""The verb start: a store that has ended by itself, or has shut itself, under a fault that is over now, is started
again."""

from __future__ import annotations

import os

from fault_files import FaultFiles, is_active
from linux import engine_process, processes, systemd
from record import FINAL, FaultRecord
from refused import Refused
from supervision import lock

PROCESS = "process"
TICKS = os.sysconf("SC_CLK_TCK")


def run(files: FaultFiles) -> tuple[FaultRecord, bool]:
    """(the record of the fault, was its store down or shut, and is it asked to start?) Idempotent. Raises Refused while
    a fault of ours lives on this host: what it does to the store is not ours to undo here."""
    # No fault is made known meanwhile, and none that kills or pauses a store begins or ends.
    with lock.hold(PROCESS), lock.hold(lock.REGISTRATION):
        record = files.read()
        if not record or record.state not in FINAL:
            raise Refused("faultId: no fault of this id has ended on this host")
        living = next((other.fault_id for other in files.others() if is_active(other)), None)
        if living:
            raise Refused(f"{living} lives on this host")
        unit = record.values["unit"]
        state = systemd.property_of(unit, "ActiveState")
        if state is None:
            raise Refused(f"unit: systemctl does not know {unit}")
        if state in ("inactive", "failed"):
            systemd.ask_for("start", unit)
        elif state == "active" and is_shut(record):
            systemd.ask_for("restart", unit)
        else:
            # It serves; or it is starting, stopping or restarted by systemd, and on its way.
            return record, False
        return record, True


def is_shut(record: FaultRecord) -> bool:
    """Does it run since before the fault, and serve nobody? What it lost under the fault, threads or its disk, it does
    not get back by being opened. One that began after the fault may not have come so far yet."""
    if processes.listening_inodes(record.node_port):
        return False
    pid = engine_process.main_pid(record.values["unit"])
    found = processes.stat(pid) if pid else None
    return found is not None and int(found.start_time) / TICKS <= record.armed_at_seconds
