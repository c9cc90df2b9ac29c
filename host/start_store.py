"""The verb start: a store that has ended by itself, under a fault that is over now, is started again."""

from __future__ import annotations

import reopening
from fault_files import FaultFiles, is_active
from linux import systemd
from record import FINAL, FaultRecord
from refused import Refused
from supervision import lock

PROCESS = "process"


def run(files: FaultFiles) -> tuple[FaultRecord, bool]:
    """(the record of the fault, was its store down or shut, and is it asked to start or open?) Idempotent. Raises
    Refused while a fault of ours lives on this host: what it does to the store is not ours to undo here."""
    # No fault is made known meanwhile, and none that kills or pauses a store begins or ends.
    with lock.hold(PROCESS), lock.hold(lock.REGISTRATION):
        record = files.read()
        if not record or record.state not in FINAL:
            raise Refused("faultId: no fault of this id has ended on this host")
        living = next((other.fault_id for other in files.others() if is_active(other)), None)
        if living:
            raise Refused(f"{living} lives on this host")
        if is_up(record.values["unit"]):
            return record, reopening.run(record)
        systemd.start(record.values["unit"])
        return record, True


def is_up(unit: str) -> bool:
    """A unit that is starting, stopping or restarted by systemd is on its way."""
    state = systemd.property_of(unit, "ActiveState")
    if state is None:
        raise Refused(f"unit: systemctl does not know {unit}")
    return state not in ("inactive", "failed")
