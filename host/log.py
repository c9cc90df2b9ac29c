"""The log of a fault: the stderr of its processes is `/run/holdfast/<faultId>/log`."""

from __future__ import annotations

import contextlib
import os
import sys

from linux import boot_clock


def say(text: str) -> None:
    """A full /run must not stop the one who has something to say."""
    with contextlib.suppress(OSError):
        print(f"{boot_clock.utc()} {os.getpid()} {text}", file=sys.stderr, flush=True)
