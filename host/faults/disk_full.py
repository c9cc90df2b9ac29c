"""DISK_FULL: little space is left on the volume of the store's data: an open file without a name fills it. The end of
the process that holds it, which every revert brings about first, is the whole undo."""

from __future__ import annotations

import os

from faults import Counting, Effect, Fault, FaultRecord, Pipes
from linux import volume, worker_processes
from refused import Refused

WORKER = "fill_disk"


def is_on_root(directory: str) -> bool:
    """Is it the root volume, or does it share its space? Subvolumes and data sets look like volumes of their own."""
    return bool(space_of(directory) & space_of("/"))


def space_of(path: str) -> set[str]:
    """What names the space below the mount of `path`: device number and source; of ZFS the pool."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with open(f"/proc/self/fdinfo/{descriptor}", encoding="ascii") as file:
            mount = next(line.split()[1] for line in file if line.startswith("mnt_id:"))
    finally:
        os.close(descriptor)
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            fields, _, source = line.partition(" - ")
            number, _, device, *_ = fields.split(" ")
            if number == mount:
                kind, name, *_ = source.split(" ")
                return {device, name.split("/")[0] if kind == "zfs" else name}
    raise OSError(f"the mount of {path} is not known")


class DiskFull(Fault):
    def prepare(self, record: FaultRecord) -> list[str]:
        values = record.values
        directory, percent, reserve = values["dataDirectory"], int(values["fillPct"]), int(values["reserveBytes"])
        problem = volume.problem(directory)
        if problem:
            raise Refused(problem)
        if values["allowRootVolume"] != "yes" and is_on_root(directory):
            raise Refused(f"dataDirectory: {directory} is on the root volume; allowRootVolume must be yes for that")
        record.facts["device"] = os.stat(directory).st_dev
        free = volume.free_bytes(directory)
        if free <= reserve:
            where = f"on the volume of {directory}"
            raise Refused(f"reserveBytes: {free} bytes are free {where}, no more than the reserve of {reserve}")
        if percent and volume.bytes_up_to(directory, percent) <= 0:
            raise Refused(f"fillPct: {percent} % of the volume of {directory} are in use already")
        return [f"close the unlinked file on the volume of {directory}: nothing has to be written for that"]

    def apply(self, record: FaultRecord, pipes: Pipes, seconds: int) -> None:
        values = record.values
        words = [values["dataDirectory"], str(record.facts["device"])]
        words += [values[name] for name in ("fillBytes", "fillPct", "reserveBytes")]
        worker_processes.start(record, pipes, WORKER, words)

    def revert(self, record: FaultRecord) -> None:
        if worker_processes.find(record.fault_id):
            raise OSError("the file is still held")

    def status(self, record: FaultRecord) -> bool:
        return bool(worker_processes.find(record.fault_id))

    def observe(self, record: FaultRecord, provokes: bool) -> Effect:
        held = sum(volume.held_bytes(worker.pid) for worker in record.workers)
        return Effect("space held", "bytes", held, Counting.LEVEL)

    def workers(self, record: FaultRecord) -> int:
        return 1


FAULT = DiskFull()
