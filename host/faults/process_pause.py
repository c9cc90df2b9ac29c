"""PROCESS_PAUSE: the store's process stands still, until the end, once for a while, or again and again."""

from __future__ import annotations

import signal

from faults import Counting, Effect, Fault, FaultRecord, Pipes
from linux import engine_process, processes, worker_processes
from linux.boot_clock import now
from linux.processes import ProcessId
from refused import Refused

WORKER = "pause_cycle"
#: A pause that begins or ends this moment may not be seen yet.
MARGIN_SECONDS = 0.3


def process_of(record: FaultRecord) -> ProcessId:
    if not record.process:
        raise OSError("the record has no process")
    return record.process


class ProcessPause(Fault):
    can_be_fenced = True

    def prepare(self, record: FaultRecord) -> list[str]:
        process = record.process = engine_process.require(record)
        if processes.is_stopped(process):
            raise Refused(f"process {process.pid} of {record.values['unit']} is stopped already")
        return [f"continue process {process.pid} with start time {process.start_time}"]

    def apply(self, record: FaultRecord, pipes: Pipes, seconds: int) -> None:
        process = process_of(record)
        if self.workers(record):
            words = [str(process.pid), process.start_time]
            words += [record.values["pauseSeconds"], record.values["repeatEverySeconds"]]
            worker_processes.start(record, pipes, WORKER, words)
        elif not processes.send(process, signal.SIGSTOP):
            raise OSError(f"process {process.pid} (start time {process.start_time}) is gone")

    def revert(self, record: FaultRecord) -> None:
        # A process that is gone needs no undo; its successor was never ours.
        processes.send(process_of(record), signal.SIGCONT)

    def status(self, record: FaultRecord) -> bool:
        found = processes.stat(process_of(record).pid)
        is_stopped = found is not None and found.state == "T" and found.start_time == process_of(record).start_time
        return bool(worker_processes.find(record.fault_id)) or is_stopped

    def observe(self, record: FaultRecord, provokes: bool) -> Effect:
        is_there = processes.is_stopped(process_of(record)) or self.is_between_pauses(record)
        return Effect("process stopped", "yes or no", int(is_there), Counting.LEVEL)

    def is_between_pauses(self, record: FaultRecord) -> bool:
        """May the process run at the moment, by the plan of the worker?"""
        pause, every = int(record.values["pauseSeconds"]), int(record.values["repeatEverySeconds"])
        if not pause or "ready" not in record.facts:
            return False
        since = now() - float(record.facts["ready"])
        if every:
            since %= every
            return since > pause - MARGIN_SECONDS or since < MARGIN_SECONDS
        return since > pause - MARGIN_SECONDS

    def workers(self, record: FaultRecord) -> int:
        return 1 if record.values["pauseSeconds"] != "0" else 0


FAULT = ProcessPause()
