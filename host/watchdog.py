#!/usr/bin/python3
"""Holdfast's host program: `watchdog.py inject | revert | status`. See README.md beside it.

inject starts a pair of processes that outlive the command (pair.py). Each takes the fault back when its own reason comes
or when the other one falls silent, so that no single death, stop or hang keeps a fault alive.
"""
import json
import os
import sys
import time

os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

import kinds
import parameters
import scripts
import way_back
from bounds import INJECT_ANSWER_SECONDS
from lease import now
from lease_table import Metadata
from parameters import Refused
from store import Store, is_watched, public, utc

EXIT = {"APPLIED": 0, "REVERTED": 0, "NOTHING_TO_REVERT": 0, "REFUSED": 3}


def existing(store, kind, values):
    """The record of the same fault if it is already here. Raises Refused when nothing may be started."""
    if store.has_tombstone():
        raise Refused("faultId: it was reverted before, an id is used once")
    reason = store.conflict(values["experimentId"], kinds.load(kind).RESOURCE)
    if reason:
        raise Refused(f"faultId: {reason}")
    state = store.read()
    if state is None or state["state"] == "REFUSED" or (state["state"] == "ARMING" and not is_watched(state)):
        return None
    if state["values"] != values:
        raise Refused("faultId: it is in use with other parameters")
    return state


def inject():
    # The program of the way back has none of these.
    import arming
    import pair
    import systemd

    kind = arming.kind_of_program(scripts.PROGRAM)
    values = parameters.read_fault(kind)
    os.makedirs("/run/holdfast", mode=0o700, exist_ok=True)
    store = Store(values["faultId"])
    state = existing(store, kind, values)
    if not state:
        state = arming.prepare(kind, values)
        state.update(layer="systemd" if systemd.is_here() else "pair", environment=pair.environment())
        with store.lock():
            is_ours = not existing(store, kind, values)
            if is_ours:
                store.make()
                # Not before: what came before may have taken long, and from here on the pair has to be born soon.
                state["armedAtSeconds"] = now()
                store.write(state)
        if is_ours:
            pair.start(store, state)
    until = now() + INJECT_ANSWER_SECONDS
    while True:
        seen = store.read()
        if not seen:
            # The pair may have done more than we have seen.
            state.update(state="APPLYING", reason="the record had been removed")
            state = way_back.walk(store, "APPLY_FAILED", state)
            break
        state = seen
        if state["state"] not in ("ARMING", "APPLYING"):
            break
        if now() > until and is_watched(state):
            # The pair waits for the store; this command has no time for it.
            state = way_back.lift(store, "APPLY_FAILED", state)
            break
        if not is_watched(state):
            state = way_back.walk(store, "APPLY_FAILED", state)
            break
        time.sleep(0.02)
    if state["state"] == "APPLIED" and not is_watched(state):
        state = way_back.walk(store, "WATCHDOG_DIED", state)
    return state, (EXIT.get(state["state"], 4) if state["state"] in ("APPLIED", "REFUSED") else 4)


def revert():
    fault_id = parameters.read({name: parameters.COMMON[name] for name in ("experimentId", "faultId")})["faultId"]
    store = Store(fault_id)
    state = way_back.walk(store, "ROLLBACK")
    if state and state["state"] != "REFUSED":
        return state, EXIT.get(state["state"], 4)
    answer = nothing(fault_id, state)
    if way_back.revert_without_record(fault_id, answer["instanceId"]):
        answer.update(state="REVERTED", revertReason="ROLLBACK", liftedAt=utc(), reason="found by its mark, without a record")
    return answer, 0


def status():
    fault_id = parameters.read({name: parameters.COMMON[name] for name in ("experimentId", "faultId")})["faultId"]
    state = Store(fault_id).read()
    return state or nothing(fault_id, None), 0


def nothing(fault_id, state):
    if state:
        return {**state, "state": "NOTHING_TO_REVERT"}
    try:
        instance_id = Metadata(1).read("instance-id").strip()
    except OSError:
        instance_id = None
    return {
        "faultId": fault_id, "instanceId": instance_id, "state": "NOTHING_TO_REVERT",
        "fence": {"outcome": "NONE"}, "undo": [], "leftovers": [],
    }


def boot_id():
    """Of this run of the kernel. Who knows that it is the one the fault was applied in does not take a lost record for none."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return None


def main(arguments):
    verbs = {"inject": inject, "revert": revert, "status": status}
    if len(arguments) != 1 or arguments[0] not in verbs:
        print("usage: watchdog.py inject|revert|status", file=sys.stderr)
        return 2
    os.umask(0o077)
    try:
        state, code = verbs[arguments[0]]()
    except Refused as error:
        fault_id = os.environ.get("SSM_faultId", "")
        state, code = {"faultId": fault_id[:64], "state": "REFUSED", "reason": str(error), "fence": {"outcome": "NONE"}}, 3
        state.update(undo=[], leftovers=[])
    except OSError as error:
        state, code = {"faultId": os.environ.get("SSM_faultId", "")[:64], "state": "FAILED", "reason": str(error)}, 4
        state.update(fence={"outcome": "NONE"}, undo=[], leftovers=[])
    print(json.dumps({**public(state), "bootId": boot_id()}), flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
