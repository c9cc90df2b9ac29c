"""flap.py ON_SECONDS OFF_SECONDS SET=ELEMENT,…: fills these IP sets for ON_SECONDS, empties them for OFF_SECONDS, and
so on, and says when they were first full (boot clock). An element is an address or a TCP port; each ends by itself a
moment after this has ended, however it did."""

from __future__ import annotations

import _thread
import os
import sys
import time
from typing import NoReturn

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from linux import ip_set
from linux.boot_clock import now
from workers import worker_lifetime as lifetime

#: Of an element, in whole seconds, which is all that the kernel takes.
LIFE_SECONDS, REFRESH_SECONDS = 2, 0.5


def fill(name: str, elements: list[str]) -> None:
    if elements[0].isdigit():
        ip_set.put_ports(name, map(int, elements), LIFE_SECONDS)
    else:
        ip_set.put_addresses(name, elements, LIFE_SECONDS)


def main(there: int, away: int, sets: dict[str, list[str]]) -> NoReturn:
    lock = _thread.allocate_lock()

    def lose() -> None:
        with lock:
            for name, elements in sets.items():
                fill(name, elements)

    def let_pass() -> None:
        with lock:
            for name in sets:
                ip_set.empty(name)

    def end() -> None:
        lock.acquire()  # for good: nothing may be filled again
        for name in sets:
            ip_set.empty(name)

    lifetime.be_punctual()
    lifetime.exit_with_parent(at_end=end)
    since = now()
    lose()
    lifetime.started(more=f"{since:.3f}")
    while True:
        while now() < since + there:
            time.sleep(max(0.0, min(REFRESH_SECONDS, since + there - now())))
            if now() < since + there:
                lose()
        let_pass()
        since += there + away
        lifetime.sleep_until(since)
        lose()


main(
    int(sys.argv[1]), int(sys.argv[2]), {name: of.split(",") for name, of in (each.split("=") for each in sys.argv[3:])}
)
