"""What systemd knows and does, where it runs."""

from __future__ import annotations

import os
from typing import Literal

from linux import command

START_SECONDS = 2


def is_here() -> bool:
    return os.path.isdir("/run/systemd/system") and command.exists("systemd-run")


def is_going_down() -> bool:
    """It starts no service any more then; the next start of the machine does. No when it cannot be asked."""
    try:
        return command.attempt(["systemctl", "is-system-running"], timeout_seconds=2).out.strip() == "stopping"
    except OSError:
        return False


def property_of(unit: str, name: str) -> str | None:
    """What it says of a unit, or None when it says nothing."""
    return (command.output(["systemctl", "show", "-p", name, "--value", unit]) or "").strip() or None


def is_active(unit: str) -> bool:
    try:
        return command.attempt(["systemctl", "is-active", unit]).out.strip() == "active"
    except OSError:
        return False


def ask_for(verb: Literal["start", "restart"], unit: str) -> None:
    """A store that loads its data can take long to be active, and one that hangs to end. The order stands even if we
    stop waiting for it; a machine that goes down starts nothing any more, its next start does."""
    try:
        done = command.attempt(["systemctl", verb, unit], timeout_seconds=START_SECONDS)
    except OSError:
        return
    if done.code != 0 and not is_going_down():
        raise OSError(f"systemctl {verb} {unit} failed with {done.code}: {done.err.strip()[:300]}")
