"""What the host has to know of the store that runs on it: one module an engine, with one object `ENGINE`."""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

from record import FaultRecord


class Role(NamedTuple):
    """What was seen of the node's role in its shard since its fault was lifted."""

    #: Clients may come back.
    has_settled: bool
    #: Why somebody may be taking the node for something else: clients must not come back yet. None: nobody may.
    doubt: str | None = None


class Watch:
    """Asked again and again after a fault was lifted."""

    def look(self) -> Role:
        """Raises OSError when it cannot be seen."""
        raise NotImplementedError


class Engine:
    def check(self, values: dict[str, str]) -> None:
        """Raises Refused for parameters of the engine that do not go together."""
        raise NotImplementedError

    def asked(self, values: dict[str, str]) -> list[tuple[str, int]]:
        """(address, port) of everybody who is asked about the role of the node."""
        raise NotImplementedError

    def prepare(self, record: FaultRecord) -> None:
        """Looks at this host alone: whom the parameters name is asked nothing, and told nothing, before the lease has
        granted them. Raises Refused when nobody could be asked."""
        raise NotImplementedError

    def remember(self, record: FaultRecord) -> dict[str, Any]:
        """What is to be known later of the node's role as it is before the fault."""
        raise NotImplementedError

    def doubt(self, record: FaultRecord) -> str | None:
        """Why the node may not have the role any more that it had before the fault, or None when everybody says that
        it has. Raises OSError when somebody does not answer."""
        raise NotImplementedError

    def watch(self, record: FaultRecord) -> Watch:
        """Raises OSError when nobody can be asked."""
        raise NotImplementedError


def load(name: str) -> Engine:
    found = importlib.import_module(f"engines.{name}").ENGINE
    assert isinstance(found, Engine)
    return found
