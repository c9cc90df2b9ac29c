"""What one process of the pair decides. Pure: `step(state, event, now) -> (state, effects)`, seconds on the boot clock.

The runner reads the lease and applies the fault; the supervisor watches the runner and the clock. Each tells the
other that it lives, and each can revert alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Union

import lease as leases
from bounds import ARMING_SECONDS, INJECT_ANSWER_SECONDS
from lease import Lease, Row
from record import Counting

TICK_SECONDS = 0.25
#: A peer that has said nothing for so long is dead or hung.
SILENCE_SECONDS = 1.2
#: Somewhat less than a tick: a wait ends a moment early or late.
SAY_SECONDS = 0.9 * TICK_SECONDS
#: A tick that comes so late means that we stood still ourselves.
STALL_SECONDS = 2 * TICK_SECONDS
#: The runner loads TLS first; before it has spoken it has changed nothing.
BEGIN_SECONDS = 8
#: After the fault was applied its effect has to be seen within this.
EFFECT_SECONDS = 4.0
#: So many looks, one a beat, without an effect end the fault.
LOOKS_WITHOUT_EFFECT = 3

WATCHDOG_DIED = "WATCHDOG_DIED"


class Phase(Enum):
    #: No lease yet.
    ARMING = "ARMING"
    #: The lease is held; locks, records and the host are looked at.
    CHECKING = "CHECKING"
    #: The verb runs.
    APPLYING = "APPLYING"
    #: The verb is done; its effect is waited for.
    CONFIRMING = "CONFIRMING"
    HOLDING = "HOLDING"
    #: Nothing more is decided: the fault is refused or reverted.
    LEAVING = "LEAVING"


@dataclass(frozen=True)
class Peer:
    is_runner: bool
    grace_seconds: float
    ttl_seconds: float
    lease: Lease
    #: When the peer was last heard, when we last spoke, and when the last tick came.
    heard_at: float
    said_at: float
    ticked_at: float
    #: The runner waits for its lease until then, the supervisor for the first word of an applied fault.
    give_up_at: float
    phase: Phase = Phase.ARMING
    #: Why the lease could not be read.
    problem: str | None = None
    advanced_at: float | None = None
    ends_at: float | None = None
    confirm_by: float | None = None
    effect: float | None = None
    looks_without_effect: int = 0


@dataclass(frozen=True)
class Tick:
    has_tombstone: bool
    has_record: bool


@dataclass(frozen=True)
class Heard:
    """The peer lives; the runner also says when the lease last advanced and when the fault ends."""

    advanced_at: float | None
    ends_at: float | None


@dataclass(frozen=True)
class HeardRevert:
    reason: str


@dataclass(frozen=True)
class PeerClosed:
    pass


@dataclass(frozen=True)
class Terminated:
    pass


@dataclass(frozen=True)
class LeaseRead:
    sent_at: float
    own: Row | None
    everyone: Row | None


@dataclass(frozen=True)
class LeaseUnread:
    problem: str


@dataclass(frozen=True)
class Checked:
    """Nothing on the host stands against it."""


@dataclass(frozen=True)
class Changed:
    """The fault is applied. Its effect is what comes after: workers have used the processor before they began."""

    counted: float = 0.0


@dataclass(frozen=True)
class ApplyFailed:
    pass


@dataclass(frozen=True)
class EffectSeen:
    #: None when it could not be read.
    value: float | None
    counting: Counting


@dataclass(frozen=True)
class WorkersSeen:
    are_alive: bool


Event = Union[
    Tick, Heard, HeardRevert, PeerClosed, Terminated, LeaseRead, LeaseUnread, Checked, Changed, ApplyFailed, EffectSeen,
    WorkersSeen,
]  # fmt: skip


@dataclass(frozen=True)
class Say:
    advanced_at: float | None
    ends_at: float | None


@dataclass(frozen=True)
class Check:
    pass


@dataclass(frozen=True)
class Apply:
    ends_at: float


@dataclass(frozen=True)
class Confirm:
    """The effect is there: the fault is APPLIED."""


@dataclass(frozen=True)
class Refuse:
    reason: str


@dataclass(frozen=True)
class Refresh:
    """Gives what ends in the kernel by itself another while."""

    seconds: float


@dataclass(frozen=True)
class Look:
    """Looks at the effect; with a packet of our own through it when none was seen."""

    provokes: bool


@dataclass(frozen=True)
class Revert:
    reason: str
    #: Stopped or hung, the peer must not wake up in the middle of what we revert.
    ends_peer: bool


Effect = Union[Say, Check, Apply, Confirm, Refuse, Refresh, Look, Revert]


def begin(is_runner: bool, grace_seconds: float, ttl_seconds: float, lease: Lease, at: float) -> Peer:
    give_up_at = at + (ARMING_SECONDS if is_runner else INJECT_ANSWER_SECONDS)
    heard_at = at if is_runner else at + BEGIN_SECONDS
    return Peer(is_runner, grace_seconds, ttl_seconds, lease, heard_at, at - TICK_SECONDS, at, give_up_at)


def step(state: Peer, event: Event, at: float) -> tuple[Peer, tuple[Effect, ...]]:
    if state.phase is Phase.LEAVING:
        return state, ()
    if isinstance(event, Tick):
        return tick(state, event, at)
    if isinstance(event, Heard):
        return heard(state, event, at)
    if isinstance(event, HeardRevert):
        return leave(state, event.reason, ends_peer=False)
    if isinstance(event, (PeerClosed, Terminated)):
        return leave(state, WATCHDOG_DIED)
    if isinstance(event, LeaseRead):
        return lease_read(state, event, at)
    if isinstance(event, LeaseUnread):
        return replace(state, problem=event.problem), ()
    if isinstance(event, Checked):
        return checked(state, at)
    if isinstance(event, Changed):
        changed = replace(state, phase=Phase.CONFIRMING, confirm_by=at + EFFECT_SECONDS, effect=event.counted)
        return (changed, ()) if state.phase is Phase.APPLYING else (state, ())
    if isinstance(event, ApplyFailed):
        return leave(state, "APPLY_FAILED")
    if isinstance(event, EffectSeen):
        return effect_seen(state, event, at)
    return (state, ()) if event.are_alive else leave(state, "WORKER_DIED")


def leave(state: Peer, reason: str, ends_peer: bool | None = None) -> tuple[Peer, tuple[Effect, ...]]:
    ends = reason == WATCHDOG_DIED if ends_peer is None else ends_peer
    return replace(state, phase=Phase.LEAVING), (Revert(reason, ends),)


def refuse(state: Peer, reason: str) -> tuple[Peer, tuple[Effect, ...]]:
    return replace(state, phase=Phase.LEAVING), (Refuse(reason),)


def tick(state: Peer, event: Tick, at: float) -> tuple[Peer, tuple[Effect, ...]]:
    if at - state.ticked_at > STALL_SECONDS:
        # We were the ones who stood still: the peer gets a moment to be heard.
        state = replace(state, heard_at=max(state.heard_at, at - SILENCE_SECONDS + STALL_SECONDS))
    state = replace(state, ticked_at=at)
    said: tuple[Effect, ...] = ()
    if at - state.said_at >= SAY_SECONDS:
        said = (Say(state.advanced_at, state.ends_at),)
        state = replace(state, said_at=at)
    reason = why_revert(state, event, at)
    after, effects = leave(state, reason) if reason else armed(state, at)
    return after, (*said, *effects)


def deadline(state: Peer) -> float:
    """When a tick is wanted at the latest, however long ago the last one was: the end of the fault, or of its lease."""
    if state.ends_at is None:
        return state.ticked_at + TICK_SECONDS
    return min(state.ends_at, (state.advanced_at or 0.0) + patience(state))


def patience(state: Peer) -> float:
    """The runner decides about the lease; a moment later its word is not needed any more."""
    return state.grace_seconds + (0 if state.is_runner else STALL_SECONDS)


def why_revert(state: Peer, event: Tick, at: float) -> str | None:
    if at - state.heard_at > SILENCE_SECONDS:
        return WATCHDOG_DIED
    if event.has_tombstone or not event.has_record:
        return "ROLLBACK"
    if state.ends_at is None:
        return "APPLY_FAILED" if not state.is_runner and at > state.give_up_at else None
    if state.lease.released:
        return state.lease.released
    if at >= state.ends_at:
        return "TTL"
    return "LEASE_LOST" if state.advanced_at is None or at >= state.advanced_at + patience(state) else None


def armed(state: Peer, at: float) -> tuple[Peer, tuple[Effect, ...]]:
    if not state.is_runner or state.phase is not Phase.ARMING:
        return state, ()
    lease = state.lease
    if lease.released:
        return refuse(state, f"the lease is released ({lease.released})")
    if leases.is_held(lease):
        return replace(state, phase=Phase.CHECKING), (Check(),)
    if at > state.give_up_at:
        why = state.problem or lease.missing or f"the beat advanced {lease.advances} times, 2 are needed"
        return refuse(state, f"no lease within {ARMING_SECONDS} s: {why}")
    return state, ()


def heard(state: Peer, event: Heard, at: float) -> tuple[Peer, tuple[Effect, ...]]:
    state = replace(state, heard_at=at)
    if state.is_runner or event.ends_at is None:
        return state, ()
    # It only grows: a message that comes late cannot set it back.
    advanced_at = max(state.advanced_at or 0.0, event.advanced_at or 0.0)
    return replace(state, advanced_at=advanced_at, ends_at=event.ends_at), ()


def lease_read(state: Peer, event: LeaseRead, at: float) -> tuple[Peer, tuple[Effect, ...]]:
    before = state.lease.advances
    lease = leases.read(state.lease, event.own, event.everyone, event.sent_at)
    state = replace(state, lease=lease, problem=None)
    if state.ends_at is not None:
        if lease.released:
            return leave(state, lease.released)
        if at >= state.ends_at:
            return leave(state, "TTL")
        state = replace(state, advanced_at=lease.advanced_at)
    if lease.advances == before or state.phase not in (Phase.CONFIRMING, Phase.HOLDING) or state.ends_at is None:
        return state, ()
    # A moment longer than we would wait ourselves, and no longer than the fault may live.
    seconds = min(state.grace_seconds, max(0.0, state.ends_at - at)) + 1.0
    look = (Look(state.looks_without_effect > 0),) if state.phase is Phase.HOLDING else ()
    # Looked at first: what has run out is not to be filled up again unseen.
    return state, (*look, Refresh(seconds))


def checked(state: Peer, at: float) -> tuple[Peer, tuple[Effect, ...]]:
    lease = state.lease
    if state.phase is not Phase.CHECKING:
        return state, ()
    if not leases.is_held(lease) or leases.is_lost(lease, at, state.grace_seconds):
        return refuse(state, f"the lease was lost while arming: {lease.released or lease.missing or 'no advance'}")
    ends_at = at + state.ttl_seconds
    return replace(state, phase=Phase.APPLYING, advanced_at=lease.advanced_at, ends_at=ends_at), (Apply(ends_at),)


def effect_seen(state: Peer, event: EffectSeen, at: float) -> tuple[Peer, tuple[Effect, ...]]:
    before = 0.0 if state.effect is None or event.counting is not Counting.TOTAL else state.effect
    is_there = event.value is not None and event.value > before
    if is_there:
        state = replace(state, effect=event.value, looks_without_effect=0)
        if state.phase is Phase.CONFIRMING:
            return replace(state, phase=Phase.HOLDING), (Confirm(),)
        return state, ()
    if state.phase is Phase.CONFIRMING:
        is_late = state.confirm_by is not None and at > state.confirm_by
        return leave(state, "APPLY_FAILED") if is_late else (state, (Look(provokes=True),))
    looks = state.looks_without_effect + 1
    state = replace(state, looks_without_effect=looks)
    return leave(state, "EFFECT_LOST") if looks >= LOOKS_WITHOUT_EFFECT else (state, ())
