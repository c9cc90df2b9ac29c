"""Locks of the host, one a resource: who holds one may change what it stands for, and write the record of its fault."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass

import log
from fault_files import ROOT, FaultFiles
from linux import processes
from linux.boot_clock import now
from linux.processes import ProcessId
from record import State
from supervision import trace, verbs

#: Held for an instant by whoever makes a fault known, so that two cannot be begun that must not be beside each other.
REGISTRATION = "registration"
#: Longer than a sound holder takes on a slow host: its verbs end after 5 s each.
PATIENCE_SECONDS = 20.0
STOPPED_SECONDS = 1.5
#: The runner gives up an apply when it hears of the end; if it does not, it is ended.
APPLIER_SECONDS = 0.5
HOLDER_BYTES = 64
WAIT_SECONDS = 0.01


@dataclass(frozen=True)
class Waiting:
    """Of one process, for one lock."""

    since: float
    patience_seconds: float
    not_before: float


@dataclass(frozen=True)
class HolderSeen:
    process: ProcessId
    #: When it got the lock.
    since: float
    is_stopped: bool
    #: It is applying the very fault that is to be reverted.
    is_applier: bool


@dataclass(frozen=True)
class EndHolder:
    process: ProcessId


def step(state: Waiting, event: HolderSeen, at: float) -> tuple[Waiting, tuple[EndHolder, ...]]:
    """A holder that is stopped, or that has held the lock longer than any sound one could, is ended with its verbs:
    what it did is done again, idempotently, by whoever comes next. One that applies the fault that we revert has less
    time."""
    held = at - event.since
    is_late = held > state.patience_seconds and at > state.not_before
    is_hung = held > STOPPED_SECONDS and event.is_stopped
    is_in_the_way = event.is_applier and at - state.since > APPLIER_SECONDS
    return state, (EndHolder(event.process),) if is_late or is_hung or is_in_the_way else ()


@contextlib.contextmanager
def hold(
    name: str,
    patience_seconds: float = PATIENCE_SECONDS,
    not_before: float = 0.0,
    tick: Callable[[], None] | None = None,
    reverts: FaultFiles | None = None,
    now_or_never: bool = False,
) -> Generator[int]:
    """Waits for the lock, and gives its descriptor: a forked child that stays has to close it, it would hold the lock
    for as long as it lives. `reverts`: the fault whose applier is ended if it is in the way. Raises OSError when a
    holder cannot be ended."""
    os.makedirs(ROOT, mode=0o700, exist_ok=True)
    descriptor = os.open(f"{ROOT}/lock.{name}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    state = Waiting(now(), patience_seconds, not_before)
    told: ProcessId | None = None
    try:
        while not try_lock(descriptor):
            if now_or_never:
                raise BlockingIOError(f"the lock {name} is held")
            seen = look_at_holder(descriptor, reverts if now() - state.since > APPLIER_SECONDS else None)
            if seen:
                state, effects = trace.stepped("lock", step, state, seen, now())
                for effect in effects:
                    if told != effect.process:
                        told = effect.process
                        log.say(f"ends {told.pid}, which held the lock {name} for {now() - seen.since:.1f} s")
                    verbs.end_owner(effect.process)
            if tick:
                tick()
            time.sleep(WAIT_SECONDS)
        dead = read_holder(descriptor)
        if dead:
            # It died under the lock: what it had started must not go on beside us.
            verbs.end_commands(dead[0])
        own = processes.identify(os.getpid())
        write_holder(descriptor, f"{own.pid} {own.start_time} {now():.3f}")
        try:
            yield descriptor
        finally:
            write_holder(descriptor, "")
    finally:
        # A forked child shares the open file: closing ours alone would not release it.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False


def look_at_holder(descriptor: int, reverts: FaultFiles | None) -> HolderSeen | None:
    found = read_holder(descriptor)
    if not found:
        return None
    process, since = found
    return HolderSeen(process, since, processes.is_stopped(process), bool(reverts) and is_applier(process, reverts))


def is_applier(process: ProcessId, files: FaultFiles) -> bool:
    record = files.read()
    if not record or not record.pair or record.state not in (State.ARMING, State.APPLYING):
        return False
    return process == record.pair.runner and process.pid != os.getpid()


def read_holder(descriptor: int) -> tuple[ProcessId, float] | None:
    """Who says to hold the lock, and since when, or None."""
    words = os.pread(descriptor, HOLDER_BYTES, 0).decode().split()
    return (ProcessId(int(words[0]), words[1]), float(words[2])) if len(words) == 3 else None


def write_holder(descriptor: int, text: str) -> None:
    # Always the same length, so that it can be written when /run is full.
    with contextlib.suppress(OSError):
        os.pwrite(descriptor, text.ljust(HOLDER_BYTES).encode(), 0)
