"""The one order in which a fault is reverted, whoever does it. Pure: `step(state, event, now) -> (state, effects)`,
seconds on the boot clock.

    tombstone -> is the role of the node in doubt? fence up, if so -> remove = lifted -> the engine has settled (<= 15
    s) -> fence down -> proof

Every action is idempotent, and the state is recorded after each: the next one can go on where the last one died."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Union

from bounds import FENCE_SECONDS
from record import FINAL, FaultRecord, FenceOutcome, State

#: The one who waits for the engine should have taken the fence down by then, or is ended by the next one.
FENCE_END_SECONDS = FENCE_SECONDS + 2


class Action(Enum):
    LOOK_AT_ROLE = "LOOK_AT_ROLE"
    RAISE_FENCE = "RAISE_FENCE"
    STAND_DOWN = "STAND_DOWN"
    REMOVE = "REMOVE"
    #: All that follows happens without the lock of the resource.
    SETTLE = "SETTLE"
    WAIT_UNTIL_BACK = "WAIT_UNTIL_BACK"
    WAIT_FOR_ENGINE = "WAIT_FOR_ENGINE"
    LOWER_FENCE = "LOWER_FENCE"
    PROVE = "PROVE"


@dataclass(frozen=True)
class Reversal:
    """What of a record decides."""

    state: State
    is_fenced: bool
    reason: str | None = None
    revert_reason: str | None = None
    in_doubt: bool | None = None
    outcome: FenceOutcome = FenceOutcome.NONE
    raised_at: float | None = None
    is_lowered: bool = False
    lifted_at: float | None = None
    has_leftovers: bool = False
    #: Why the fault is not known to be reverted.
    failure: str | None = None
    #: That it is to be raised is recorded before; this after.
    is_raised: bool = False


@dataclass(frozen=True)
class Asked:
    reason: str
    #: Something of a fault that was reverted before is there.
    is_there_again: bool


@dataclass(frozen=True)
class RoleSeen:
    in_doubt: bool


@dataclass(frozen=True)
class Done:
    """The last action is done, or why it is not."""

    action: Action
    problem: str | None = None
    #: What is to be said of it although it is done.
    remark: str | None = None


@dataclass(frozen=True)
class EngineSeen:
    has_settled: bool
    in_doubt: bool


@dataclass(frozen=True)
class Proven:
    has_leftovers: bool


@dataclass(frozen=True)
class Settling:
    """The lock of the resource is left."""


Event = Union[Asked, RoleSeen, Done, EngineSeen, Proven, Settling]


def of_record(record: FaultRecord) -> Reversal:
    fence = record.fence
    return Reversal(
        record.state, record.is_fenced, record.reason, record.revert_reason, fence.in_doubt, fence.outcome,
        fence.raised_at_seconds, fence.lowered_at is not None, record.lifted_at_seconds, bool(record.leftovers),
        record.reason if record.state is State.FAILED else None, fence.is_raised,
    )  # fmt: skip


def step(state: Reversal, event: Event, at: float) -> tuple[Reversal, tuple[Action, ...]]:
    if isinstance(event, Asked):
        return asked(state, event, at)
    if isinstance(event, RoleSeen):
        state = replace(state, in_doubt=event.in_doubt)
        return to_raise(state, at) if event.in_doubt else (state, (Action.STAND_DOWN,))
    if isinstance(event, Settling):
        return settling(state, at)
    if isinstance(event, EngineSeen):
        return engine_seen(state, event, at)
    if isinstance(event, Proven):
        reached = State.FAILED if state.failure else State.REVERTED
        is_end = state.state is not State.REVERTED
        reason = state.failure or state.reason
        state = replace(state, has_leftovers=event.has_leftovers)
        return (replace(state, state=reached, reason=reason) if is_end else state), ()
    return done(state, event, at)


def asked(state: Reversal, event: Asked, at: float) -> tuple[Reversal, tuple[Action, ...]]:
    if state.state is State.REFUSED:
        return state, ()
    if state.state is State.REVERTED and not event.is_there_again:
        # What was left then may be gone, or readable, now.
        return state, (Action.PROVE,) if state.has_leftovers else ()
    if state.state is State.ARMING:
        return replace(state, state=State.REFUSED, reason=f"ended before it was applied: {event.reason}"), ()
    if state.state is State.REVERTED:
        state = replace(state, lifted_at=None, outcome=FenceOutcome.NONE, raised_at=None, in_doubt=None)
        state = replace(state, is_raised=False, is_lowered=False)
    if state.state is State.REVERTING and state.lifted_at is not None:
        return state, (Action.SETTLE,)
    if state.state is State.FAILED:
        # Not known to be gone: it is removed again.
        state = replace(state, reason=None, lifted_at=None)
    state = replace(state, state=State.REVERTING, revert_reason=state.revert_reason or event.reason, failure=None)
    if state.is_fenced and state.raised_at is None:
        return state, (Action.LOOK_AT_ROLE,)
    return state, (Action.RAISE_FENCE,) if is_to_be_raised(state, at) else (Action.REMOVE,)


def is_to_be_raised(state: Reversal, at: float) -> bool:
    """That it is to be raised was recorded before, and who recorded it may have died since."""
    if state.raised_at is None or state.is_raised or state.is_lowered or state.outcome is not FenceOutcome.NONE:
        return False
    return at - state.raised_at < FENCE_SECONDS


def to_raise(state: Reversal, at: float) -> tuple[Reversal, tuple[Action, ...]]:
    # That it was not needed may have been said before: not any more.
    return replace(state, raised_at=at, outcome=FenceOutcome.NONE), (Action.RAISE_FENCE,)


def done(state: Reversal, event: Done, at: float) -> tuple[Reversal, tuple[Action, ...]]:
    problem = event.problem
    if event.action is Action.RAISE_FENCE:
        if problem:
            # It does not keep the fault: a partition that stays is worse.
            state = replace(state, outcome=FenceOutcome.FAILED, reason=f"no fence: {problem}")
        state = replace(state, is_raised=problem is None)
        return (state, (Action.REMOVE,)) if state.lifted_at is None else (state, (Action.WAIT_FOR_ENGINE,))
    if event.action is Action.STAND_DOWN:
        return to_raise(state, at) if problem else (state, (Action.REMOVE,))
    if event.action is Action.REMOVE:
        if problem:
            return replace(state, state=State.FAILED, reason=problem, failure=problem), (Action.SETTLE,)
        return replace(state, lifted_at=at if state.lifted_at is None else state.lifted_at), (Action.SETTLE,)
    if event.action is Action.WAIT_UNTIL_BACK:
        state = replace(state, failure=problem or state.failure, reason=event.remark or state.reason)
        if not waits_for_engine(state):
            return state, (Action.LOWER_FENCE,)
        return state, (Action.RAISE_FENCE,) if is_to_be_raised(state, at) else (Action.WAIT_FOR_ENGINE,)
    if event.action is Action.LOWER_FENCE:
        if problem:
            return replace(state, failure=problem), (Action.PROVE,)
        has_fallen = state.raised_at is not None and state.outcome is FenceOutcome.NONE
        outcome = FenceOutcome.DEADLINE if has_fallen else state.outcome
        return replace(state, is_lowered=True, outcome=outcome), (Action.PROVE,)
    return state, ()


def waits_for_engine(state: Reversal) -> bool:
    return state.is_fenced and state.outcome in (FenceOutcome.NONE, FenceOutcome.NOT_NEEDED) and not state.is_lowered


def settling(state: Reversal, at: float) -> tuple[Reversal, tuple[Action, ...]]:
    if state.state in FINAL:
        return state, ()
    if state.state is not State.FAILED:
        return state, (Action.WAIT_UNTIL_BACK,)
    # A fault that cannot be lifted keeps its fence up to the deadline alone.
    is_kept = state.raised_at is not None and not state.is_lowered and at - state.raised_at < FENCE_SECONDS
    return state, (Action.PROVE,) if is_kept else (Action.LOWER_FENCE,)


def engine_seen(state: Reversal, event: EngineSeen, at: float) -> tuple[Reversal, tuple[Action, ...]]:
    if state.raised_at is not None:
        outcome = FenceOutcome.SETTLED if event.has_settled else FenceOutcome.DEADLINE
        if state.outcome is FenceOutcome.FAILED:
            outcome = state.outcome
        return replace(state, outcome=outcome), (Action.LOWER_FENCE,)
    if event.in_doubt:
        return to_raise(replace(state, in_doubt=True), at)
    outcome = FenceOutcome.NOT_NEEDED if event.has_settled else FenceOutcome.NONE
    return replace(state, outcome=outcome), (Action.LOWER_FENCE,)
