"""Decisions can be written down as they are made, to be made again: with HOLDFAST_TRACE, the path of a file, each
`step` adds a line of JSON that tells state, event, time, and what came of them."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

VARIABLE = "HOLDFAST_TRACE"

S = TypeVar("S")
E = TypeVar("E")
F = TypeVar("F")


def stepped(
    machine: str, step: Callable[[S, E, float], tuple[S, tuple[F, ...]]], state: S, event: E, at: float
) -> tuple[S, tuple[F, ...]]:
    """`step(state, event, at)`, written down if that is asked for."""
    after, effects = step(state, event, at)
    path = os.environ.get(VARIABLE)
    if path:
        write(path, {"machine": machine, "state": state, "event": event, "at": at, "after": after, "effects": effects})
    return after, effects


def write(path: str, line: dict[str, Any]) -> None:
    # One write a line, appended: several processes share the file. It must never keep a decision from being carried
    # out.
    with contextlib.suppress(OSError, TypeError, ValueError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
        try:
            os.write(descriptor, (json.dumps({"pid": os.getpid(), **encoded(line)}) + "\n").encode())
        finally:
            os.close(descriptor)


def encoded(value: Any) -> Any:
    """With the name of its type, so that it can be made again."""
    if isinstance(value, Enum):
        return {"type": type(value).__name__, "value": value.value}
    if dataclasses.is_dataclass(value):
        fields = {each.name: encoded(getattr(value, each.name)) for each in dataclasses.fields(value)}
        return {"type": type(value).__name__, **fields}
    if isinstance(value, (list, tuple)):
        items: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType] of anything
        name = type(value).__name__ if hasattr(value, "_fields") else "tuple"  # pyright: ignore[reportUnknownArgumentType]
        return {"type": name, "items": [encoded(each) for each in items]}
    if isinstance(value, dict):
        return {name: encoded(each) for name, each in value.items()}  # pyright: ignore[reportUnknownVariableType] JSON
    return value
