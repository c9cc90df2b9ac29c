"""CPU_SPIKE: processors of the host are busy, in a control group that gives the load no more than was asked for."""

from __future__ import annotations

import os

from faults import Counting, Effect, Fault, FaultRecord, Pipes
from linux import cgroup, worker_processes
from linux.cgroup import Group, Limit
from refused import Refused

WORKER = "cpu_load"
PERIOD_US = 100_000


def limits(cores: int, percent: int) -> list[Limit]:
    quota = cores * percent
    weight = str(cores * 100 if cores < 100 else 10_000)
    return [
        Limit("cpu.cfs_period_us", str(PERIOD_US), "CPUQuota", f"{quota}%"),
        # A group has the weight of one process: on each of its cores the load competes as if it had no group.
        Limit("cpu.cfs_quota_us", str(quota * PERIOD_US // 100), "CPUWeight", weight),
        Limit("cpu.shares", str(cores * 1024), "CPUWeight", weight),
    ]


class CpuSpike(Fault):
    is_marked = True

    def prepare(self, record: FaultRecord) -> list[str]:
        online = len(os.sched_getaffinity(0))
        if int(record.values["cores"]) > online:
            raise Refused(f"cores: must be 1 to {online}, so many has this host")
        group = cgroup.find(record, "cpu")
        record.facts["cgroup"] = list(group)
        return [f"end the load and remove the control group {group.directory}"]

    def apply(self, record: FaultRecord, pipes: Pipes, seconds: int) -> None:
        cores, percent = record.values["cores"], record.values["loadPct"]
        group = Group(*record.facts["cgroup"])
        worker_processes.start(record, pipes, WORKER, [cores, percent], group, limits(int(cores), int(percent)))

    def revert(self, record: FaultRecord) -> None:
        cgroup.remove(record)

    def status(self, record: FaultRecord) -> bool:
        return bool(cgroup.of_fault(record))

    def observe(self, record: FaultRecord, provokes: bool) -> Effect:
        seconds = sum(worker_processes.cpu_seconds(worker) for worker in record.workers)
        return Effect("processor time of the load", "s", round(seconds, 3), Counting.TOTAL)

    def workers(self, record: FaultRecord) -> int:
        return int(record.values["cores"])


FAULT = CpuSpike()
