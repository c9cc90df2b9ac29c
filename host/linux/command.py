"""Commands of the host, by lists of arguments: no shell reads them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from typing import NamedTuple

from linux import processes
from linux.boot_clock import now

#: Who runs a command shows in its environment, so that nothing it starts outlives its verb (supervision/verbs.py).
OWNER_VARIABLE = "HOLDFAST_OWNER"
_marks: dict[str, str] = {}


class Done(NamedTuple):
    code: int
    out: str
    err: str


def mark_with(owner: str) -> None:
    """Every command of this process carries the mark from now on."""
    _marks[OWNER_VARIABLE] = owner


def attempt(
    words: Sequence[str], text: str = "", timeout_seconds: float = 5.0, tick: Callable[[], None] | None = None
) -> Done:
    """Raises OSError when it cannot be started or takes too long; then it has been ended with its group."""
    # A rule of somebody else may hold any byte.
    process = subprocess.Popen(
        words, env={"PATH": os.environ["PATH"], "LC_ALL": "C", **_marks}, start_new_session=True,
        encoding="utf-8", errors="surrogateescape",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    processes.rank_session(process.pid)
    until = now() + timeout_seconds
    given: str | None = text
    while True:
        try:
            out, err = process.communicate(given, timeout=0.05 if tick else timeout_seconds)
            return Done(process.returncode, out, err)
        except subprocess.TimeoutExpired:
            given = None
            if tick and now() < until:
                tick()
                continue
        end_group(process)
        raise OSError(f"{words[0]} took longer than {timeout_seconds} s")


def end_group(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=1)


def run(words: Sequence[str], text: str = "", timeout_seconds: float = 5.0) -> str:
    """Its stdout. Raises OSError with its stderr when it fails."""
    done = attempt(words, text, timeout_seconds)
    if done.code != 0:
        raise OSError(f"{words[0]} failed with {done.code}: {done.err.strip()[:300]}")
    return done.out


def output(words: Sequence[str]) -> str | None:
    """Its stdout, or None when it fails, for whatever reason."""
    try:
        return run(words)
    except OSError:
        return None


def exists(name: str) -> bool:
    """As `shutil.which` says, without its memory."""
    return any(os.access(f"{directory}/{name}", os.X_OK) for directory in os.environ["PATH"].split(":"))
