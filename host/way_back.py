"""The one way back on a host, whoever walks it: a half of the pair, the other half, or the roll-back command.

    tombstone -> fence up -> revert = lifted -> the store has found its master (<= 15 s) -> fence down -> proof

Every step is idempotent and recorded, so that the next one can go on where the last one died. It works on the record in
memory: a /run that is full keeps no fault and no fence.
"""
import shutil
import threading
import time

import addresses
import kinds
import packet_filter
import parameters
import scripts
import snapshot
import store_process
import workers
from bounds import FENCE_SECONDS
from fences import redis
from lease import now
from store import FINAL, is_active, log, utc

# What a fault without a fence may wait for, such as a killed process that comes back.
BACK_SECONDS = 10
# The one who waits for the store should have taken the fence down by then, or is ended by the next one.
FENCE_END_SECONDS = FENCE_SECONDS + 2
SETTLE_SECONDS = 10.0


def walk(store, reason, remembered=None):
    """All of the way back. Returns the record as it is then, or None when there never was one; a state that is not final
    wants another walk. `remembered` is what the caller knows in case it could not be written, or was removed."""
    state = lift(store, reason, remembered)
    return settle(store, state) if state and state["state"] not in FINAL else state


def lift(store, reason, remembered=None):
    """Tombstone, fence, revert. Returns the record, or None when there never was one."""
    with store.lock():
        state = furthest(store.read(), remembered)
        # A refused fault changed nothing and may be asked for again, unless someone asked for it to be taken back.
        if reason == "ROLLBACK" or state and state["state"] != "REFUSED":
            try_to(store.leave_tombstone)
        if state is None or state["state"] == "REFUSED":
            return state
        if state["state"] == "REVERTED" and not is_there_again(store, state):
            if state["leftovers"]:
                # Asked again: what was left then may be gone, or readable, now.
                prove(state)
                try_to(store.write, state)
            return state
        if state["state"] == "ARMING":
            state.update(state="REFUSED", reason=f"ended before it was applied: {reason}")
            try_to(store.write, state)
            return state
        if state["state"] == "REVERTING" and "liftedAt" in state:
            return state
        if state["state"] == "FAILED":
            state.pop("reason", None)
        state.setdefault("revertReason", reason)
        state["state"] = "REVERTING"
        raise_fence(store, state)
        failure = take_back(state)
        if failure:
            state.update(state="FAILED", reason=failure)
        else:
            state.setdefault("liftedAt", utc())
            state.setdefault("liftedAtSeconds", now())
        try_to(store.write, state)
        return state


def take_back(state):
    """Ends the workers and reverts the fault. Returns why it may still be there, or None."""
    failures = []
    try:
        workers.end(state["faultId"])
    except OSError as error:
        failures.append(str(error))
    try:
        scripts.run(scripts.fault(state), "revert", state)
        # What takes its time to be back is waited for when the fault is lifted (wait_back).
        if not hasattr(kinds.load(state["kind"]), "wait_back") and is_applied(scripts.fault(state), state):
            failures.append(f"{scripts.fault(state)} status still says applied after revert")
    except OSError as error:
        failures.append(str(error))
    return "; ".join(failures) or None


def furthest(recorded, remembered):
    """The record, unless we got further than could be written."""
    if not recorded or not remembered:
        return recorded or remembered
    if recorded["state"] in FINAL or remembered["state"] not in (*FINAL, "REVERTING", "FAILED"):
        return recorded
    return remembered if "liftedAt" in remembered or "liftedAt" not in recorded else recorded


def is_applied(path, state):
    return scripts.run(path, "status", state) == "applied"


def is_there_again(store, state):
    """Is something of a fault there that was taken back? Then the whole way is walked again. What another active fault
    does to the same thing is not ours, and neither is a process that someone else stopped or killed."""
    paths = ["fence.sh"] if state["values"]["fence"] != "none" else []
    shared = any(is_active(other) and other.get("resource") == state["resource"] for other in store.others())
    if getattr(kinds.load(state["kind"]), "REAPPEARS", False) and not shared:
        paths.append(scripts.fault(state))
    if not workers.find(state["faultId"]) and not any([is_applied(path, state) for path in paths]):
        return False
    log("it was there again after it had been reverted")
    for name in ("liftedAt", "liftedAtSeconds"):
        state.pop(name, None)
    state["fence"] = {"outcome": "NONE"}
    return True


def try_to(act, *arguments):
    """A full /run must not keep the fault: what cannot be done is said in the log, and the way back goes on."""
    try:
        act(*arguments)
    except OSError as error:
        log(str(error))


def raise_fence(store, state):
    """A fence that cannot be raised does not keep the fault: a partition that stays is worse. That it is to be raised is
    recorded before: whoever comes next takes down what may be there."""
    if state["values"]["fence"] == "redis" and "raisedAt" not in state["fence"]:
        state["fence"]["raisedAt"] = utc()
        state["fenceRaisedAtSeconds"] = now()
        try_to(store.write, state)
        try:
            scripts.run("fence.sh", "apply", state)
        except OSError as error:
            state["fence"]["outcome"] = "FAILED"
            state["reason"] = f"no fence: {error}"
    try_to(store.write, state)


def settle(store, remembered):
    """Waits for the store, takes the fence down, proves that nothing is left. Returns the record."""
    end_seconds = remembered.get("fenceRaisedAtSeconds", now() + BACK_SECONDS) + FENCE_END_SECONDS
    # A lock of its own: what waits for the store does not keep other faults of the host from being lifted or settled.
    with store.lock(f"settling.{store.fault_id}", not_before_seconds=end_seconds, patience_seconds=SETTLE_SECONDS):
        state = furthest(store.read(), remembered)
        if state["state"] in FINAL:
            return state
        failure = state["reason"] if state["state"] == "FAILED" else wait_back(state)
        failure = lower_fence(state) or failure
        prove(state)
        with store.lock():
            state["state"] = "FAILED" if failure else "REVERTED"
            if failure:
                state["reason"] = failure
            try_to(store.write, state)
        return state


def wait_back(state):
    """Why what was reverted is not back, or None."""
    try:
        return kinds.call(state["kind"], "wait_back", state)
    except Exception as error:  # whatever a kind could not look at: the fault was there, so this is no refusal
        return f"it is not known to be back: {type(error).__name__}: {error}"


def lower_fence(state):
    """Why the fence is still up, or None. A fault that cannot be lifted keeps its fence up to the deadline alone."""
    fence, passed = state["fence"], now() - state.get("fenceRaisedAtSeconds", 0)
    if "raisedAt" not in fence or "loweredAt" in fence:
        return None
    settled = False
    if fence["outcome"] == "NONE":
        if "liftedAt" in state:
            settled = wait_for_master(state)
        elif passed < FENCE_SECONDS:
            return state["reason"]
    try:
        scripts.run("fence.sh", "revert", state)
    except OSError as error:
        return f"the fence is still up: {error}"
    fence["loweredAt"] = utc()
    if fence["outcome"] == "NONE":
        fence["outcome"] = "SETTLED" if settled else "DEADLINE"
    return None


def prove(state):
    """What is left of the fault, and what else is different on the host: that is not ours to undo or to fail for."""
    after = snapshot.take(state)
    before = state.get("before") or after
    state["leftovers"], state["changes"] = snapshot.compare(
        before, after, state["faultId"], state["families"], state.get("process")
    )
    state["leftovers"] = [*snapshot.remains(state), *state["leftovers"]]


def wait_for_master(state):
    """True when the store has settled; False at the deadline, which counts from the raising, whoever waits and whatever
    those who are asked do: a thread asks them, and nobody waits for it any longer than that."""
    settled, until = threading.Event(), state["fenceRaisedAtSeconds"] + FENCE_SECONDS
    try:
        threading.Thread(target=watch_master, args=(state, until, settled), daemon=True).start()
    except RuntimeError as error:
        log(str(error))
    # Before Python 3.11 `wait(timeout)` counts on the wall clock, which may be set.
    while not settled.is_set() and now() < until:
        time.sleep(0.05)
    return settled.is_set()


def watch_master(state, until, settled):
    values, watch = state["values"], None
    while now() < until:
        try:
            watch = watch or redis.Watch(
                store_process.port_of(values), parameters.sentinels(values), values["fenceMasterName"],
                addresses.own(), redis.read_credentials(values["fenceCredentialsFile"]), state["liftedAtSeconds"],
            )
            if watch.settled():
                return settled.set()
        except Exception as error:  # what cannot be asked has not settled; the deadline is kept by the one who waits
            log(f"fence: {type(error).__name__}: {error}")
        time.sleep(0.1)


def record(store, state):
    """Is the end of the fault on record now? Not while /run is full."""
    with store.lock():
        current = store.read()
        if current and current["state"] in FINAL:
            return True
        try_to(store.make)
        try_to(store.write, state)
        return (store.read() or {}).get("state") == state["state"]


def revert_without_record(fault_id, instance_id):
    """When /run was lost: workers, chains and the like carry our mark. Returns True if there was something. Raises
    OSError, after all was tried, for what could not be looked at or taken away."""
    found, failures = bool(workers.find(fault_id)), []
    state = {"faultId": fault_id, "instanceId": instance_id, "values": {}, "families": packet_filter.families()}
    state.update(peers=[], exempt=[], shard=[])
    paths = {f"faults/{kind}.sh": kinds.load(kind) for kind in kinds.carried(scripts.PROGRAM)}
    bare = {path: module.bare(fault_id) for path, module in paths.items() if hasattr(module, "bare") and can_be(getattr(module, "TOOLS", ()))}
    if can_be(packet_filter.TOOLS):
        bare["fence.sh"] = {}
    try:
        workers.end(fault_id)
    except OSError as error:
        failures.append(str(error))
    for path, environment in bare.items():
        try:
            if environment is not None and is_applied(path, {**state, "bare": environment}):
                found = True
                scripts.run(path, "revert", {**state, "bare": environment})
        except OSError as error:
            failures.append(str(error))
    if failures:
        raise OSError("; ".join(failures))
    return found


def can_be(tools):
    """What the host has no tools for was never applied."""
    return all(shutil.which(tool) for tool in tools)
