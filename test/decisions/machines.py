"""Decisions as supervision/trace.py writes them down, read back and made again. The host program is on the path."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import lease
import record
from linux import processes
from supervision import decide, lock, reversal

Step = Callable[[Any, Any, float], "tuple[Any, tuple[Any, ...]]"]

#: By the names that they have in a trace.
MACHINES: dict[str, Step] = {"peer": decide.step, "reversal": reversal.step, "lock": lock.step}
#: These begin anew with what they read from a record. All other events continue.
BEGINNINGS = (reversal.Asked, reversal.Settling, lock.HolderSeen)


def types() -> dict[str, type[Any]]:
    """Everything that a trace may name."""
    found: dict[str, type[Any]] = {}
    for module in (decide, reversal, lock, lease, record, processes):
        for name, value in vars(module).items():
            if isinstance(value, type) and value.__module__ == module.__name__:
                assert name not in found, f"two types are called {name}"
                found[name] = value
    return found


TYPES = types()


def decoded(value: Any) -> Any:
    """What supervision.trace.encoded has made of it. Raises KeyError, TypeError or ValueError for anything else."""
    if not isinstance(value, dict):
        if isinstance(value, list):
            raise ValueError("a list without a type")
        return value
    given: dict[str, Any] = dict(value)  # pyright: ignore[reportUnknownArgumentType] JSON
    name = given.pop("type", None)
    if name is None:
        return {key: decoded(each) for key, each in given.items()}
    items = [decoded(each) for each in given.pop("items", [])]
    if name == "tuple":
        return tuple(items)
    kind = TYPES[name]
    if issubclass(kind, Enum):
        return kind(given["value"])
    return kind(*items, **{key: decoded(each) for key, each in given.items()})
