"""The clock by which everything is decided."""

from __future__ import annotations

import time


def now() -> float:
    """Seconds since boot. No one can set it, and it goes on while the machine is suspended: a resumed host must not
    believe that its fault is young."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def utc(seconds: float | None = None) -> str:
    """ISO 8601, for evidence only: nothing is decided by it. Of the wall clock, unless epoch seconds are given."""
    at = time.time() if seconds is None else seconds
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1000):03d}Z"
