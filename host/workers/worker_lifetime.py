"""What all workers share: a worker lives only while the runner does (HOLDFAST_LIFE_FD is the read end of a pipe that
nobody else holds) and not beyond HOLDFAST_ENDS_AT on the boot clock."""

from __future__ import annotations

import _thread
import os
import select
import sys
import time
from collections.abc import Callable
from typing import NoReturn

from linux import processes
from linux.boot_clock import now

LOOK_SECONDS = 0.5  # `select` does not count while the machine is suspended, the boot clock does


def exit_with_parent(at_end: Callable[[], None] | None = None) -> None:
    """From now on this process ends when its life does, whatever it is doing. Once in each process, after the fork."""
    descriptor, ends_at = int(os.environ["HOLDFAST_LIFE_FD"]), float(os.environ["HOLDFAST_ENDS_AT"])
    _thread.start_new_thread(wait_for_end, (descriptor, ends_at, at_end))


def wait_for_end(descriptor: int, ends_at: float, at_end: Callable[[], None] | None) -> None:
    try:
        while now() < ends_at:
            if select.select([descriptor], [], [], max(0, min(LOOK_SECONDS, ends_at - now())))[0]:
                break
        if at_end:
            at_end()
    finally:
        os._exit(0)


def started(first: bool = True, more: str = "") -> None:
    """Tells the runner, which waits for it, that the fault is there. Nobody reads what a worker would print later."""
    if first:
        print(f"ready {more}".strip(), flush=True)
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 1)


def be_punctual() -> None:
    """For a worker that is no load: it only keeps time, and has to on a busy host, too."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except OSError:
        processes.take_priority(-20)


def sleep_until(moment: float) -> None:
    while now() < moment:
        time.sleep(max(0.0, moment - now()))


def idle() -> NoReturn:
    """For a worker that has nothing left to do but to live."""
    while True:
        time.sleep(60)


def refuse(text: str) -> NoReturn:
    """Before `started`: the fault fails with this text."""
    print(text, flush=True)
    sys.exit(1)
