"""The one way in which a fault is reverted on a host, whoever does it: either process of the pair, systemd, or the
roll-back command. The order stands in supervision/reversal.py; here it is done. It works on the record in memory: a
/run that is full keeps no fault and no fence."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import engines
import faults
import log
import snapshot
from bounds import FENCE_SECONDS, REVERT_SECONDS
from fault_files import FaultFiles, is_active
from linux import boot_clock, command, worker_processes
from linux.boot_clock import now
from record import FINAL, FaultRecord, State
from refused import Refused
from supervision import lock, reversal, trace, verbs
from supervision.reversal import Action

if TYPE_CHECKING:
    from fence import Fence

#: What a fault without a fence may wait for, such as a killed process that comes back.
BACK_SECONDS = 12
ROLE_SECONDS = 0.6
SNAPSHOT_SECONDS = 12
#: How long one who waits for the engine may take for the rest.
SETTLE_SECONDS = 10.0
ASK_SECONDS = 0.05

Tick = Callable[[], None]


def run(
    files: FaultFiles, reason: str, remembered: FaultRecord | None = None, tick: Tick | None = None
) -> FaultRecord | None:
    """Reverts the fault. Returns the record, or None when there never was one; a state that is not final wants another
    run. `remembered` is what the caller knows in case it could not be written, or was removed."""
    record = remove_fault(files, reason, remembered, tick)
    return settle(files, record, tick) if record and record.state not in FINAL else record


def remove_fault(
    files: FaultFiles, reason: str, remembered: FaultRecord | None = None, tick: Tick | None = None
) -> FaultRecord | None:
    """Tombstone, fence, removal: whoever calls has the fault lifted on return, or FAILED."""
    if reason == "ROLLBACK":
        # Before the lock: who is applying the fault sees it and gives up.
        attempt(files.leave_tombstone)
    record = known(files, remembered)
    if record is None:
        return None
    with lock.hold(record.resource, tick=tick, reverts=files):
        record = known(files, remembered)
        if record is None or record.state is State.REFUSED:
            # A refused fault changed nothing and may be asked for again.
            return record
        attempt(files.leave_tombstone)
        there_again = record.state is State.REVERTED and is_there_again(files, record, tick)
        perform(files, record, reversal.Asked(reason, there_again), tick)
        return record


def settle(files: FaultFiles, remembered: FaultRecord, tick: Tick | None = None) -> FaultRecord:
    """Waits for the engine, takes the fence down, proves that nothing is left."""
    raised_at = remembered.fence.raised_at_seconds
    end_seconds = (
        (raised_at + reversal.FENCE_END_SECONDS)
        if raised_at is not None
        else now() + BACK_SECONDS + reversal.FENCE_END_SECONDS
    )
    # A lock of its own: what waits for the engine does not keep other faults of the host from being reverted.
    with lock.hold(f"settling.{files.fault_id}", SETTLE_SECONDS, end_seconds, tick):
        record = known(files, remembered)
        if record is None or record.state in FINAL:
            return record or remembered
        perform(files, record, reversal.Settling(), tick)
        return record


def perform(files: FaultFiles, record: FaultRecord, event: reversal.Event, tick: Tick | None) -> None:
    """From one action to the next, recording each decision before it is carried out."""
    state = reversal.of_record(record)
    while True:
        state, actions = trace.stepped("reversal", reversal.step, state, event, now())
        keep(record, state)
        attempt(files.write, record)
        if not actions or actions[0] is Action.SETTLE:
            return
        event = act(record, actions[0], tick)


def keep(record: FaultRecord, state: reversal.Reversal) -> None:
    """Takes over what was decided, with the time of day beside it."""
    if state.raised_at is not None and record.fence.raised_at_seconds is None:
        record.fence.raised_at = boot_clock.utc()
    if state.lifted_at is not None and record.lifted_at_seconds is None:
        record.lifted_at = record.lifted_at or boot_clock.utc()
    if state.is_lowered and record.fence.lowered_at is None and state.raised_at is not None:
        record.fence.lowered_at = boot_clock.utc()
    record.state, record.reason, record.revert_reason = state.state, state.reason, state.revert_reason
    record.fence.in_doubt, record.fence.outcome = state.in_doubt, state.outcome
    record.fence.raised_at_seconds, record.lifted_at_seconds = state.raised_at, state.lifted_at
    record.fence.is_raised = state.is_raised
    if state.raised_at is None:
        record.fence.raised_at = record.fence.lowered_at = None


def act(record: FaultRecord, action: Action, tick: Tick | None) -> reversal.Event:
    if action is Action.LOOK_AT_ROLE:
        return reversal.RoleSeen(role_is_in_doubt(record, tick))
    if action is Action.WAIT_FOR_ENGINE:
        return wait_for_engine(record, tick)
    if action is Action.WAIT_UNTIL_BACK:
        return wait_until_back(record, tick)
    if action is Action.PROVE:
        prove(record, tick)
        return reversal.Proven(bool(record.leftovers))
    does: dict[Action, Callable[[], None]] = {
        Action.RAISE_FENCE: lambda: verb("fence up", lambda: fence_of(record).raise_it(), tick),
        Action.STAND_DOWN: lambda: verb("fence stands down", lambda: fence_of(record).stand_down(), tick),
        Action.REMOVE: lambda: remove(record, tick),
        Action.LOWER_FENCE: lambda: verb("fence down", lambda: lower_fence(record), tick),
    }
    try:
        does[action]()
    except OSError as error:
        problem = f"the fence is still up: {error}" if action is Action.LOWER_FENCE else str(error)
        return reversal.Done(action, problem)
    return reversal.Done(action)


def fence_of(record: FaultRecord) -> Fence:
    """Only where a fault can have one: the program does not carry it elsewhere."""
    from fence import Fence  # noqa: PLC0415

    return Fence(record)


def verb(name: str, does: Callable[[], Any], tick: Tick | None, seconds: float = REVERT_SECONDS) -> Any:
    try:
        return verbs.run(name, does, seconds, tick)
    except Refused as refusal:
        # The fault was there: nothing can be refused any more.
        raise OSError(str(refusal)) from None


def lower_fence(record: FaultRecord) -> None:
    if record.is_fenced:
        fence_of(record).lower()


def role_is_in_doubt(record: FaultRecord, tick: Tick | None) -> bool:
    """No answer in time is a doubt."""
    engine = engines.load(record.engine)
    try:
        doubt = verb("look at the role", lambda: engine.doubt(record), tick, ROLE_SECONDS)
    except OSError as error:
        doubt = str(error)
    if doubt:
        log.say(f"the role is in doubt: {doubt}")
    return bool(doubt)


def remove(record: FaultRecord, tick: Tick | None) -> None:
    """Ends the workers and reverts the fault. Raises OSError when it may still be there."""
    failures: list[str] = []
    try:
        worker_processes.end(record.fault_id)
    except OSError as error:
        failures.append(str(error))
    try:
        verb(f"{record.kind} revert", lambda: revert_and_look(record), tick)
    except OSError as error:
        failures.append(str(error))
    if failures:
        raise OSError("; ".join(failures))


def revert_and_look(record: FaultRecord) -> None:
    fault = faults.load(record.kind)
    fault.revert(record)
    # What takes its time to be back is waited for when the fault is lifted.
    if not fault.comes_back_late and fault.status(record):
        raise OSError("it is still there after its revert")


def known(files: FaultFiles, remembered: FaultRecord | None) -> FaultRecord | None:
    """Raises OSError when the record cannot be read, and nothing is remembered of it."""
    try:
        return furthest(files.read(), remembered)
    except OSError:
        if remembered is None:
            raise
        return remembered


def furthest(recorded: FaultRecord | None, remembered: FaultRecord | None) -> FaultRecord | None:
    """The record, unless we got further than could be written."""
    if not recorded or not remembered:
        return recorded or remembered
    if recorded.state is State.ARMING and remembered.state is not State.ARMING:
        # Armed anew by somebody who did not see what was there.
        return remembered
    reverting = (*FINAL, State.REVERTING, State.FAILED)
    if recorded.state in FINAL or remembered.state not in reverting:
        return recorded
    is_further = remembered.lifted_at_seconds is not None or recorded.lifted_at_seconds is None
    return remembered if is_further else recorded


def is_there_again(files: FaultFiles, record: FaultRecord, tick: Tick | None) -> bool:
    """Is something of a fault there that was reverted? Then all of it is done again. What another active fault does
    to the same thing is not ours, and neither is a process that someone else stopped or killed."""
    fault = faults.load(record.kind)
    is_shared = any(is_active(other) and other.resource == record.resource for other in files.others())

    def looks() -> bool:
        return (record.is_fenced and fence_of(record).is_there()) or (
            fault.reappears and not is_shared and fault.status(record)
        )

    if not worker_processes.find(record.fault_id) and not verb(f"{record.kind} status", looks, tick):
        return False
    log.say("it was there again after it had been reverted")
    record.lifted_at = None
    return True


def attempt(does: Callable[..., None], *arguments: Any) -> None:
    """A full /run must not keep the fault: what cannot be done is said in the log, and the revert goes on."""
    try:
        does(*arguments)
    except OSError as error:
        log.say(str(error))


def wait_until_back(record: FaultRecord, tick: Tick | None) -> reversal.Done:
    fault = faults.load(record.kind)
    if not fault.comes_back_late:
        return reversal.Done(Action.WAIT_UNTIL_BACK)
    try:
        text, is_failure = verb(f"{record.kind} is back", lambda: fault.wait_until_back(record), tick, BACK_SECONDS)
    except OSError as error:
        text, is_failure = f"it is not known to be back: {error}", True
    return reversal.Done(Action.WAIT_UNTIL_BACK, text if is_failure else None, None if is_failure else text)


def wait_for_engine(record: FaultRecord, tick: Tick | None) -> reversal.EngineSeen:
    """At the deadline, which counts from the raising, whoever waits and whatever those who are asked do, it has not
    settled. Where the fence was not needed it is watched just as long whether it is needed after all."""
    start = record.fence.raised_at_seconds or record.lifted_at_seconds or now()
    until = start + FENCE_SECONDS
    engine = engines.load(record.engine)

    def watch() -> list[bool]:
        watching = engine.watch(record)
        while True:
            try:
                seen = watching.look()
            except (
                Exception
            ) as error:  # what cannot be asked has not settled; the deadline is kept by the one who waits
                log.say(f"fence: {type(error).__name__}: {error}")
            else:
                if seen.doubt and record.fence.raised_at_seconds is None:
                    log.say(f"the role is in doubt: {seen.doubt}")
                    return [False, True]
                if seen.has_settled:
                    return [True, False]
            time.sleep(ASK_SECONDS)

    try:
        has_settled, in_doubt = verb("engine", watch, tick, max(0.0, until - now()))
    except OSError as error:
        log.say(f"the engine has not settled: {error}")
        return reversal.EngineSeen(False, in_doubt=False)
    return reversal.EngineSeen(has_settled, in_doubt)


def prove(record: FaultRecord, tick: Tick | None) -> None:
    """What is left of the fault, and what else is different on the host: that is not ours to undo or to fail for."""
    try:
        after = snapshot.taken(
            verb("snapshot", lambda: snapshot.as_json(snapshot.take(record)), tick, SNAPSHOT_SECONDS)
        )
    except OSError as error:
        record.leftovers, record.changes = [f"the host could not be looked at: {error}"], []
        return
    found = snapshot.compare(record.before or after, after, record)
    record.leftovers, record.changes = [*snapshot.remains(record), *found.leftovers], found.changes
    try:
        if record.is_fenced and fence_of(record).is_there():
            record.leftovers.append("rules or IP sets of the fence")
    except Exception as error:  # what cannot be looked at is not proven to be gone
        record.leftovers.append(f"whether a fence is left could not be seen: {error}")


def is_recorded(files: FaultFiles, record: FaultRecord) -> bool:
    """Is the end of the fault on record now? Not while /run is full."""
    with lock.hold(record.resource):
        current = files.read()
        if current and current.state in FINAL:
            return True
        attempt(files.make)
        attempt(files.write, record)
        return files.exists() and (files.read() or record).state is record.state


def without_record(fault_id: str, instance_id: str | None) -> bool:
    """When /run was lost: workers, chains and the like carry our mark. Returns True if there was something. Raises
    OSError, after all was tried, for what could not be looked at or taken away."""
    record = unrecorded(fault_id, instance_id)
    found, failures = bool(worker_processes.find(fault_id)), list[str]()
    try:
        worker_processes.end(fault_id)
    except OSError as error:
        failures.append(str(error))
    wanted: list[tuple[str, Callable[[], bool], Callable[[], None]]] = []
    for kind in faults.carried():
        fault = faults.load(kind)
        # What the host has no tools for was never applied.
        if fault.is_marked and can_be(fault.tools):
            wanted.append((kind, lambda fault=fault: fault.status(record), lambda fault=fault: fault.revert(record)))
    if any(faults.load(kind).can_be_fenced for kind in faults.carried()) and can_be(("iptables-save",)):
        wanted.append(("fence", fence_of(record).is_there, fence_of(record).lower))
    for name, status, revert in wanted:
        try:
            if verb(f"{name} status", status, None):
                found = True
                verb(f"{name} revert", revert, None)
        except OSError as error:
            failures.append(str(error))
    if failures:
        raise OSError("; ".join(failures))
    return found


def unrecorded(fault_id: str, instance_id: str | None) -> FaultRecord:
    """What a fault is known by without its record."""
    import parameters  # noqa: PLC0415 not for the processes that stay

    digest = parameters.sha256_hex(fault_id)[:12]
    group_digest = parameters.sha256_hex(f"{instance_id or ''}{fault_id}")[:12]
    values = {"faultId": fault_id, "storePorts": "0"}
    record = FaultRecord(fault_id, instance_id, "", "", State.REVERTING, values, digest, group_digest)
    if any(faults.load(kind).can_be_fenced for kind in faults.carried()):
        from linux import netfilter  # noqa: PLC0415

        record.families = netfilter.families()
    record.ends_in_kernel = True
    return record


def can_be(tools: tuple[str, ...]) -> bool:
    return all(command.exists(tool) for tool in tools)
