"""What the host knows of one fault, from the moment it is armed to its proven end. JSON goes in and out here alone."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from linux.processes import ProcessId


class State(Enum):
    ARMING = "ARMING"
    APPLYING = "APPLYING"
    APPLIED = "APPLIED"
    REVERTING = "REVERTING"
    REVERTED = "REVERTED"
    REFUSED = "REFUSED"
    #: It may still be there: whoever comes next tries again.
    FAILED = "FAILED"


#: Nothing of the fault is on the host.
FINAL = (State.REVERTED, State.REFUSED)


class FenceOutcome(Enum):
    NONE = "NONE"
    SETTLED = "SETTLED"
    DEADLINE = "DEADLINE"
    FAILED = "FAILED"
    #: The role of the node was never in doubt, so clients were not kept away.
    NOT_NEEDED = "NOT_NEEDED"


@dataclass
class Fence:
    outcome: FenceOutcome = FenceOutcome.NONE
    raised_at: str | None = None
    lowered_at: str | None = None
    #: On the boot clock.
    raised_at_seconds: float | None = None
    is_raised: bool = False
    #: Its rules are in place beside the fault's, so that the kernel alone can raise it.
    is_armed: bool = False
    in_doubt: bool | None = None


class Counting(Enum):
    """How a value tells that the fault is there."""

    #: It is not 0.
    LEVEL = "LEVEL"
    #: It is more than at the last look.
    TOTAL = "TOTAL"


@dataclass(frozen=True)
class Effect:
    """What was seen of a fault at one look."""

    measure: str
    unit: str
    value: float
    counting: Counting
    observed_at: str | None = None


@dataclass(frozen=True)
class Snapshot:
    """The host at one moment, as lines that can be compared; `unread` is what could not be looked at."""

    lines: list[str]
    #: What the kind of the fault sees of the things that it changes.
    touched: list[str]
    unread: list[str]


@dataclass(frozen=True)
class Pair:
    supervisor: ProcessId
    runner: ProcessId


@dataclass
class FaultRecord:
    fault_id: str
    #: None when instance metadata do not answer and the fault is looked for without a record.
    instance_id: str | None
    kind: str
    resource: str
    state: State
    #: Parameters of the document, checked.
    values: dict[str, str]
    #: 12 hex digits that mark what is the fault's; `group_digest` tells the instance as well.
    digest: str
    group_digest: str

    # Known when it is armed
    grant: str = ""
    region: str = ""
    lease_table: str = ""
    environment: dict[str, str] = field(default_factory=dict[str, str])
    under_systemd: bool = False
    armed_at_seconds: float = 0.0
    peers: list[str] = field(default_factory=list[str])
    exempt: list[str] = field(default_factory=list[str])
    #: Everybody the node's role depends on: peers, and whom the engine asks.
    shard: list[str] = field(default_factory=list[str])
    #: "4" and "6": for which addresses the packet filter works.
    families: list[str] = field(default_factory=list[str])
    #: Packets are matched through IP sets whose elements end by themselves.
    ends_in_kernel: bool = False
    process: ProcessId | None = None
    #: What the kind, and the engine, found out about this host.
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    engine_facts: dict[str, Any] = field(default_factory=dict[str, Any])
    undo: list[str] = field(default_factory=list[str])
    #: What a person should know of how this host applies the fault, and of why its effect was lost.
    notes: list[str] = field(default_factory=list[str])

    # Known while it lives, and at its end
    pair: Pair | None = None
    workers: list[ProcessId] = field(default_factory=list[ProcessId])
    before: Snapshot | None = None
    applied_at: str | None = None
    ends_at_seconds: float | None = None
    effect: Effect | None = None
    effect_lost_at: str | None = None
    revert_reason: str | None = None
    lifted_at: str | None = None
    lifted_at_seconds: float | None = None
    fence: Fence = field(default_factory=Fence)
    reason: str | None = None
    leftovers: list[str] = field(default_factory=list[str])
    changes: list[str] = field(default_factory=list[str])

    @property
    def experiment_id(self) -> str:
        return self.values["experimentId"]

    @property
    def node_port(self) -> int:
        """The port of the node that the fault is for."""
        return int(self.values["storePorts"].split(",")[0])

    @property
    def engine(self) -> str:
        return self.values["engine"]

    @property
    def is_fenced(self) -> bool:
        return self.values.get("fence", "none") != "none"


def to_json(record: FaultRecord) -> dict[str, Any]:
    return encoded(record)


def encoded(value: Any) -> Any:
    """As JSON has it, with the names of the fields as JSON's are written."""
    if isinstance(value, dict):
        return {name: encoded(each) for name, each in value.items()}  # pyright: ignore[reportUnknownVariableType] JSON
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value):
        return {camel(each.name): encoded(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)):
        return [encoded(each) for each in value]  # pyright: ignore[reportUnknownVariableType] JSON
    return value


def from_json(data: dict[str, Any]) -> FaultRecord:
    """Raises KeyError, TypeError or ValueError for what is no record of this version."""
    given = made(FaultRecord, data)
    given.update(state=State(given["state"]), workers=[ProcessId(*each) for each in given["workers"]])
    fence = made(Fence, given["fence"])
    fence["outcome"] = FenceOutcome(fence["outcome"])
    given["fence"] = Fence(**fence)
    if given["process"]:
        given["process"] = ProcessId(*given["process"])
    if given["pair"]:
        given["pair"] = Pair(*(ProcessId(*given["pair"][name]) for name in ("supervisor", "runner")))
    if given["before"]:
        given["before"] = Snapshot(**made(Snapshot, given["before"]))
    if given["effect"]:
        given["effect"] = effect_from_json(given["effect"])
    return FaultRecord(**given)


def effect_from_json(data: dict[str, Any]) -> Effect:
    given = made(Effect, data)
    given["counting"] = Counting(given["counting"])
    return Effect(**given)


def made(kind: type[Any], data: dict[str, Any]) -> dict[str, Any]:
    return {each.name: data[camel(each.name)] for each in dataclasses.fields(kind)}


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
