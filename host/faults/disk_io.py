"""DISK_IO: the volume of the store's data is busy; where its disk can be throttled, no more is let through, either."""

from __future__ import annotations

import os

from fault_files import FaultFiles, is_active
from faults import Counting, Effect, Fault, FaultRecord, Pipes
from linux import cgroup, volume, worker_processes
from linux.cgroup import Group, Limit
from refused import Refused

WORKER = "load_disk"
#: Of each worker. All together never take more than a quarter of what is free.
SMALLEST_FILE_BYTES, LARGEST_FILE_BYTES, SHARE = 4 << 20, 64 << 20, 4


def kept_bytes(record: FaultRecord) -> int:
    """What a fault that fills the same volume has promised to leave free."""
    device, kept = record.facts["device"], 0
    for other in FaultFiles(record.fault_id).others():
        if other.resource == "disk-space" and is_active(other) and other.facts.get("device") == device:
            kept += int(other.values["reserveBytes"])
    return kept


def limits(disk: str, rate: str) -> list[Limit]:
    ways = (("read", "IOReadBandwidthMax"), ("write", "IOWriteBandwidthMax"))
    return [
        Limit(f"blkio.throttle.{way}_bps_device", f"{disk} {rate}", name, f"/dev/block/{disk} {rate}")
        for way, name in ways
    ]


class DiskIo(Fault):
    is_marked = True

    def prepare(self, record: FaultRecord) -> list[str]:
        directory, workers, facts = record.values["dataDirectory"], int(record.values["workers"]), record.facts
        problem = volume.problem(directory)
        if problem:
            raise Refused(problem)
        facts["device"] = os.stat(directory).st_dev
        # What a filling leaves free is not to be had.
        free = max(0, volume.free_bytes(directory) - kept_bytes(record))
        facts["fileBytes"] = min(LARGEST_FILE_BYTES, free // SHARE // workers) >> 20 << 20
        if facts["fileBytes"] < SMALLEST_FILE_BYTES:
            needed = workers * SHARE * SMALLEST_FILE_BYTES
            where = f"on the volume of {directory}"
            raise Refused(f"workers: {workers} need {needed} bytes to be had {where}, there are {free}")
        undo = f"end the load; its {workers} unlinked files are free at once"
        facts["disk"] = volume.disk_of(directory)
        try:
            facts["cgroup"] = list(cgroup.find(record, "io", "blkio")) if facts["disk"] else None
        except Refused:
            facts["cgroup"] = None
        if facts["cgroup"]:
            return [f"{undo}, and so is the control group {facts['cgroup'][0]}"]
        # The load paces itself in any case.
        record.notes.append("the load alone keeps its pace: no control group can throttle this volume")
        return [undo]

    def apply(self, record: FaultRecord, pipes: Pipes, seconds: int) -> None:
        values, facts, rate = record.values, record.facts, record.values["bytesPerSecond"]
        group = Group(*facts["cgroup"]) if facts["cgroup"] else None
        # Asked again now: a filling may have begun since.
        words = [values["dataDirectory"], str(facts["device"]), values["workers"], rate, str(facts["fileBytes"])]
        words.append(str(kept_bytes(record)))
        worker_processes.start(record, pipes, WORKER, words, group, limits(facts["disk"] or "", rate))

    def revert(self, record: FaultRecord) -> None:
        cgroup.remove(record)

    def status(self, record: FaultRecord) -> bool:
        return bool(worker_processes.find(record.fault_id) or cgroup.of_fault(record))

    def observe(self, record: FaultRecord, provokes: bool) -> Effect:
        moved = sum(worker_processes.moved_bytes(worker) for worker in record.workers)
        return Effect("bytes read and written", "bytes", moved, Counting.TOTAL)

    def workers(self, record: FaultRecord) -> int:
        return int(record.values["workers"])


FAULT = DiskIo()
