"""pause_cycle.py PID START_TIME PAUSE_SECONDS EVERY_SECONDS: stops exactly that process for PAUSE_SECONDS, again every
EVERY_SECONDS (0: once), and says when the first pause began (boot clock). The revert continues it, whenever this
ends."""

from __future__ import annotations

import _thread
import os
import signal
import sys
from typing import NoReturn

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from linux import processes
from linux.boot_clock import now
from workers import worker_lifetime as lifetime


def main(process: processes.ProcessId, pause: int, every: int) -> NoReturn:
    lock = _thread.allocate_lock()

    def send(number: int) -> None:
        with lock:
            if not processes.send(process, number):
                lifetime.refuse(f"process {process.pid} (start time {process.start_time}) is gone")

    def let_run() -> None:
        lock.acquire()  # for good: no stop may follow
        processes.send(process, signal.SIGCONT)

    lifetime.be_punctual()
    # Both processes of the pair may have died, and nobody be left to revert.
    lifetime.exit_with_parent(at_end=let_run)
    stop_at = now()
    send(signal.SIGSTOP)
    lifetime.started(more=f"{stop_at:.3f}")
    while True:
        lifetime.sleep_until(stop_at + pause)
        send(signal.SIGCONT)
        if not every:
            lifetime.idle()
        stop_at += every
        lifetime.sleep_until(stop_at)
        send(signal.SIGSTOP)


main(processes.ProcessId(int(sys.argv[1]), sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
