"""MEMORY_PRESSURE: little memory is left on the host; it is held in a control group that gives the load no more than
that."""

from __future__ import annotations

from collections.abc import Iterator

from faults import Counting, Effect, Fault, FaultRecord, Pipes
from linux import cgroup, worker_processes
from linux.cgroup import Group, Limit
from refused import Refused

WORKER = "hold_memory"
#: The program that holds the memory.
SLACK_BYTES = 64 << 20
#: Files that say how much a host may have that is itself a container.
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def read_memory() -> dict[str, int]:
    """Bytes by the names of /proc/meminfo."""
    with open("/proc/meminfo", encoding="ascii") as file:
        rows = [line.split() for line in file]
    return {row[0].rstrip(":"): int(row[1]) << 10 for row in rows}


def limits() -> Iterator[int]:
    for path in LIMITS:
        try:
            with open(path, encoding="ascii") as file:
                text = file.read().strip()
        except OSError:
            continue
        if text.isdigit():
            yield int(text)


class MemoryPressure(Fault):
    is_marked = True

    def prepare(self, record: FaultRecord) -> list[str]:
        values, memory, reserve = record.values, read_memory(), int(record.values["reserveBytes"])
        total = min([memory["MemTotal"], *limits()])
        wanted = int(values["memoryBytes"]) or total * int(values["memoryPct"]) // 100
        if memory["MemAvailable"] <= reserve:
            raise Refused(
                f"reserveBytes: {memory['MemAvailable']} bytes of memory are available on this host, so none can be"
                f" taken while {reserve} are kept in reserve"
            )
        group = cgroup.find(record, "memory")
        record.facts.update(bytes=wanted, cgroup=list(group))
        return [f"give up to {wanted} bytes back and remove the control group {group.directory}"]

    def apply(self, record: FaultRecord, pipes: Pipes, seconds: int) -> None:
        wanted, group = int(record.facts["bytes"]), Group(*record.facts["cgroup"])
        most = str(wanted + SLACK_BYTES)
        held = [
            Limit("memory.limit_in_bytes", most, "MemoryMax", most),
            # What is swapped out presses on nobody.
            Limit("memory.swappiness", "0", "MemorySwapMax", "0"),
        ]
        worker_processes.start(record, pipes, WORKER, [str(wanted), record.values["reserveBytes"]], group, held)

    def revert(self, record: FaultRecord) -> None:
        cgroup.remove(record)

    def status(self, record: FaultRecord) -> bool:
        return bool(cgroup.of_fault(record))

    def observe(self, record: FaultRecord, provokes: bool) -> Effect:
        without = int(record.facts.get("ready") or 0)
        held = sum(worker_processes.held_bytes(worker, without) for worker in record.workers)
        return Effect("memory held", "bytes", held, Counting.LEVEL)

    def workers(self, record: FaultRecord) -> int:
        return 1


FAULT = MemoryPressure()
