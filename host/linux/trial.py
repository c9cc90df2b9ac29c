"""Can this kernel and its tools do what a fault needs? Nothing but a try says so: in a network namespace that goes
away with it."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable

from supervision import verbs

CLONE_NEWNET = 0x40000000


def in_own_network(does: Callable[[], None]) -> str | None:
    """Why it does not work there, or None."""

    def enter_and_do() -> None:
        library = ctypes.CDLL(None, use_errno=True)
        if library.unshare(CLONE_NEWNET) != 0:
            reason = os.strerror(ctypes.get_errno())
            raise OSError(f"a network namespace to try it in is not permitted: {reason}")
        does()

    try:
        verbs.run("trial", enter_and_do)
    except OSError as error:
        return str(error)
    return None
