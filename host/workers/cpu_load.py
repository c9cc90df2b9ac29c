"""cpu_load.py CORES PERCENT: keeps CORES processors busy for PERCENT of the time."""

from __future__ import annotations

import os
import sys
import time
from typing import NoReturn

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from workers import worker_lifetime as lifetime

PERIOD_SECONDS = 0.1


def load(share: float) -> NoReturn:
    """Counts its own processor time, so that on a busy processor it takes what was asked for and no more."""
    while True:
        end, until = time.monotonic() + PERIOD_SECONDS, time.thread_time() + PERIOD_SECONDS * share
        while time.thread_time() < until and (share == 1 or time.monotonic() < end):
            for _ in range(1000):
                pass
        time.sleep(max(0.0, end - time.monotonic()))


def main(cores: int, percent: int) -> NoReturn:
    number = 0
    while number < cores - 1 and os.fork():
        number += 1
    lifetime.exit_with_parent()
    lifetime.started(first=number == cores - 1)
    load(percent / 100)


main(int(sys.argv[1]), int(sys.argv[2]))
