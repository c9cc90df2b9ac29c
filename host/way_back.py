"""The one way back on a host, whoever walks it: a half of the pair, the other half, or the roll-back command.

    tombstone -> fence up -> revert = lifted -> the store has found its master (<= 15 s) -> fence down -> proof

Every step is idempotent and recorded, so that the next one can go on where the last one died.
"""
import os
import subprocess
import time

import arming
import parameters
import processes
import snapshot
from fences import redis
from lease import now
from store import log, utc

FENCE_SECONDS = 15
RESTART_SECONDS = 10
PROGRAM = os.path.dirname(os.path.abspath(__file__))


def script(path, verb, state, tick=None, timeout_seconds=5.0):
    """Runs one of the program's scripts; returns its stdout. Raises OSError with its stderr."""
    values = state["values"]
    pid, start_time = state.get("process", ("", ""))
    environment = {
        "PATH": os.environ["PATH"],
        "LC_ALL": "C",
        "HOLDFAST_FAULT_ID": state["faultId"],
        "HOLDFAST_PEERS": ",".join(state["peers"]),
        "HOLDFAST_EXEMPT": ",".join(state["exempt"]),
        "HOLDFAST_SHARD": ",".join(state["shard"]),
        "HOLDFAST_STORE_PORTS": values.get("storePorts", ""),
        "HOLDFAST_SCOPE": values.get("scope", ""),
        "HOLDFAST_LOSS": values.get("packetLossPct", ""),
        "HOLDFAST_SIGNAL": values.get("signal", ""),
        "HOLDFAST_RESTART": values.get("restart", ""),
        "HOLDFAST_UNIT": values.get("unit", ""),
        "HOLDFAST_PID": str(pid),
        "HOLDFAST_START_TIME": str(start_time),
    }
    process = subprocess.Popen(
        ["bash", f"{PROGRAM}/{path}", verb],
        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    until, bad_news = now() + timeout_seconds, None
    while True:
        try:
            out, err = process.communicate(timeout=0.02)
            break
        except subprocess.TimeoutExpired:
            if now() > until:
                process.kill()
                raise OSError(f"{path} {verb} took longer than {timeout_seconds} s") from None
        # A script is never left running behind its caller: it would change the host after the way back has been walked.
        try:
            if tick and not bad_news:
                tick()
        except Exception as error:
            bad_news = error
    if bad_news:
        raise bad_news
    if process.returncode != 0:
        raise OSError(f"{path} {verb} failed with {process.returncode}: {err.strip()[:500]}")
    return out.strip()


def fault_script(state):
    return f"faults/{state['kind']}.sh"


def lift(store, reason):
    """Tombstone, fence, revert. Returns the record, or None when there never was one."""
    with store.lock():
        state = store.read()
        # A refused fault changed nothing and may be asked for again, unless someone asked for it to be taken back.
        if reason == "ROLLBACK" or state and state["state"] != "REFUSED":
            try_to(store.leave_tombstone)
        if state is None or state["state"] in ("REVERTED", "REFUSED"):
            return state
        if state["state"] == "ARMING":
            state.update(state="REFUSED", reason=f"ended before it was applied: {reason}")
            store.write(state)
            return state
        if state["state"] == "REVERTING" and "liftedAt" in state:
            return state
        state.setdefault("revertReason", reason)
        state["state"] = "REVERTING"
        try_to(store.write, state)
        raise_fence(store, state)
        try:
            script(fault_script(state), "revert", state)
            if script(fault_script(state), "status", state) == "applied" and state["kind"] != "process-kill":
                raise OSError(f"{fault_script(state)} status still says applied after revert")
            state.setdefault("liftedAt", utc())
            state.setdefault("liftedAtSeconds", now())
        except OSError as error:
            state.update(state="FAILED", reason=str(error))
        store.write(state)
        return state


def try_to(act, *arguments):
    """A full /run must not keep the fault: what cannot be written is said in the log, and the way back goes on."""
    try:
        act(*arguments)
    except OSError as error:
        log(str(error))


def raise_fence(store, state):
    """A fence that cannot be raised does not keep the fault: a partition that stays is worse."""
    if state["values"]["fence"] != "redis" or "raisedAt" in state["fence"]:
        return
    try:
        script("fence.sh", "apply", state)
        state["fence"]["raisedAt"] = utc()
        state["fenceRaisedAtSeconds"] = now()
    except OSError as error:
        state["reason"] = f"no fence: {error}"
    try_to(store.write, state)


def settle(store):
    """Waits for the store, takes the fence down, proves that nothing is left. Returns the final record."""
    with store.lock("settling", FENCE_SECONDS + RESTART_SECONDS + 5):
        state = store.read()
        if state["state"] != "REVERTING" or "liftedAt" not in state:
            return state
        failure = wait_for_restart(state)
        if "raisedAt" in state["fence"]:
            settled = wait_for_master(state)
            try:
                script("fence.sh", "revert", state)
                state["fence"].update(outcome="SETTLED" if settled else "DEADLINE", loweredAt=utc())
            except OSError as error:
                failure = f"the fence is still up: {error}"
        if "before" in state:
            state["leftovers"] = snapshot.difference(state["before"], snapshot.take())
        with store.lock():
            state["state"] = "FAILED" if failure else "REVERTED"
            if failure:
                state["reason"] = failure
            store.write(state)
        return state


def wait_for_restart(state):
    """Why the killed process is not back, or None. One that a supervisor should have started is reported, not failed."""
    if state["kind"] != "process-kill":
        return None
    port = arming.store_port(state["values"])
    while not processes.listening_inodes(port):
        if now() - state["liftedAtSeconds"] > RESTART_SECONDS:
            text = f"{state['values']['unit']} does not listen on {port} {RESTART_SECONDS} s after the way back began"
            if state["values"]["restart"] == "rollback":
                return text
            state["reason"] = text
            return None
        time.sleep(0.05)
    return None


def wait_for_master(state):
    """True when the store has settled; False at the deadline, which counts from the raising, whoever waits."""
    values = state["values"]
    try:
        credentials = redis.read_credentials(values["fenceCredentialsFile"])
        own = arming.own_addresses()
    except (OSError, ValueError, KeyError, TypeError, subprocess.TimeoutExpired):
        credentials, own = None, set()
    while now() - state["fenceRaisedAtSeconds"] < FENCE_SECONDS:
        if redis.settled(
            arming.store_port(values), parameters.sentinels(values), values["fenceMasterName"], own, credentials
        ):
            return True
        time.sleep(0.1)
    return False


def revert_without_record(fault_id):
    """When /run was lost: the rules in the packet filter carry our mark. Returns True if there was something."""
    bare = {"faultId": fault_id, "values": {}, "peers": [], "exempt": [], "shard": []}
    found = False
    for path in ("faults/network-partition.sh", "fence.sh"):
        if os.path.exists(f"{PROGRAM}/{path}") and script(path, "status", bare) == "applied":
            found = True
            script(path, "revert", bare)
    return found
