"""PROCESS_KILL: the store's process ends by a signal; its supervisor, or the revert, starts it again."""

from __future__ import annotations

import contextlib
import signal
import time

from faults import Counting, Effect, Fault, FaultRecord, Pipes
from linux import engine_process, processes, systemd
from linux.boot_clock import now
from linux.processes import ProcessId
from refused import Refused

BACK_SECONDS = 10
#: systemd gives a unit up that is started more than five times in 10 s.
ASK_AGAIN_SECONDS = 2.5
END_SECONDS = 2


def process_of(record: FaultRecord) -> ProcessId:
    if not record.process:
        raise OSError("the record has no process")
    return record.process


def is_rolled_back(record: FaultRecord) -> bool:
    return record.values["restart"] == "rollback"


class ProcessKill(Fault):
    comes_back_late = True
    can_be_fenced = True

    def prepare(self, record: FaultRecord) -> list[str]:
        unit = record.values["unit"]
        record.process = engine_process.require(record)
        if not is_rolled_back(record):
            return [f"none: what supervises {unit} starts it again"]
        if engine_process.main_pid(unit) != record.process.pid:
            raise Refused(f"restart: rollback needs systemctl to know the main process of {unit}")
        return [f"systemctl start {unit}, unless its supervisor has started it again"]

    def apply(self, record: FaultRecord, pipes: Pipes, seconds: int) -> None:
        process = process_of(record)
        if not processes.send(process, signal.Signals[f"SIG{record.values['signal']}"]):
            raise OSError(f"process {process.pid} (start time {process.start_time}) is gone")

    def revert(self, record: FaultRecord) -> None:
        # While the killed process still shuts down, its unit counts as active and a start would do nothing: it is asked
        # again until another process listens.
        if not is_rolled_back(record) or not processes.wait_gone(process_of(record), END_SECONDS):
            return
        if not systemd.is_active(record.values["unit"]):
            systemd.ask_for("start", record.values["unit"])

    def status(self, record: FaultRecord) -> bool:
        is_gone = not processes.is_alive(process_of(record))
        return is_rolled_back(record) and not (is_gone and systemd.is_active(record.values["unit"]))

    def observe(self, record: FaultRecord, provokes: bool) -> Effect:
        is_gone = not processes.is_alive(process_of(record))
        return Effect("process ended", "yes or no", int(is_gone), Counting.LEVEL)

    def wait_until_back(self, record: FaultRecord) -> tuple[str | None, bool]:
        """A process that a supervisor should have started is reported, not failed."""
        process, port, unit = process_of(record), record.node_port, record.values["unit"]
        since, ask_again_at = record.lifted_at_seconds or now(), now() + ASK_AGAIN_SECONDS
        # A process that takes its time to end listens on, and would end after we had called it started again.
        while processes.is_alive(process) or not processes.listening_inodes(port):
            # Whoever would start it: now nobody does any more, and the end of the machine must not wait for it.
            if systemd.is_going_down():
                return None, False
            if now() - since > BACK_SECONDS:
                still = f"process {process.pid} still runs" if processes.is_alive(process) else ""
                text = f"{still or f'{unit} does not listen on {port}'} {BACK_SECONDS} s after it was reverted"
                return text, is_rolled_back(record)
            if is_rolled_back(record) and now() > ask_again_at:
                ask_again_at = now() + ASK_AGAIN_SECONDS
                with contextlib.suppress(OSError):
                    self.revert(record)
            time.sleep(0.1)
        return None, False


FAULT = ProcessKill()
