"""The scheduling priority of a process of ours on a host that is busy."""

from __future__ import annotations

import contextlib
import os

AUTOGROUP = "/proc/self/autogroup"


def take(nice: int) -> None:
    """Of this process. Where the kernel has autogroups (sched(7)) it weighs sessions first, and priorities count within
    one only: so a session that is ours takes it too. Raises OSError when it may not."""
    os.setpriority(os.PRIO_PROCESS, 0, nice)
    if os.getsid(0) == os.getpid():
        # A kernel without autogroups has no such file.
        with contextlib.suppress(FileNotFoundError), open(AUTOGROUP, "w", encoding="ascii") as file:
            file.write(str(nice))
