#!/usr/bin/python3
"""Holdfast's host program: `watchdog.py inject | revert | status`. See README.md beside it.

inject starts a pair of processes that outlive the command: the *poller* reads the lease and applies the fault, the
*leash* watches the poller and the clock. Each takes the fault back when its own reason comes or when the other one
falls silent, so that no single death, stop or hang keeps a fault alive.
"""
import ctypes
import json
import os
import select
import signal
import socket
import sys
import threading
import time

os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

import arming
import parameters
import processes
import snapshot
import way_back
from lease import LeaseView, Metadata, Poller, now
from parameters import Refused
from store import ACTIVE, Store, end_group, is_watched, log, public, utc

TICK_SECONDS = 0.05
SILENCE_SECONDS = 1.2
ARMING_SECONDS = 10
START_SECONDS = 14
EXIT = {"APPLIED": 0, "REVERTED": 0, "NOTHING_TO_REVERT": 0, "REFUSED": 3}


class WayBack(Exception):
    """The fault has to go; the text is the revert reason."""


class Half:
    """One process of the pair: its beats to the other one, and the other one's silence."""

    def __init__(self, store, state, channel):
        self.store = store
        self.state = state
        self.said_at = 0.0
        self.values = state["values"]
        self.grace_seconds = int(self.values["leaseGraceSeconds"])
        self.channel = channel
        self.heard_at = self.ticked_at = now()
        self.terminated = False
        # What the poller tells the leash with each beat: when it last saw the lease advance, when the TTL ends.
        self.advanced_at = self.ends_at = None
        signal.signal(signal.SIGTERM, self.terminate)

    def terminate(self, *_):
        self.terminated = True

    def beat(self, wait_seconds=0.0):
        """Says "alive" and listens. Raises WayBack when the other half is dead, silent or on its way back."""
        at = now()
        if at - self.ticked_at > 0.5:
            # We were the ones who stood still: give the other half a moment to be heard.
            self.heard_at = max(self.heard_at, at - SILENCE_SECONDS + 0.5)
        self.ticked_at = at
        try:
            if at - self.said_at >= TICK_SECONDS:
                self.said_at = at
                self.send("beat", advancedAt=self.advanced_at, endsAt=self.ends_at)
            while select.select([self.channel], [], [], wait_seconds)[0]:
                message = self.channel.recv(4096)
                if not message:
                    raise WayBack("WATCHDOG_DIED")
                self.hear(json.loads(message))
                wait_seconds = 0
        except ConnectionError:
            raise WayBack("WATCHDOG_DIED") from None
        if now() - self.heard_at > SILENCE_SECONDS or self.terminated:
            raise WayBack("WATCHDOG_DIED")

    def send(self, kind, **words):
        try:
            self.channel.send(json.dumps({"kind": kind, **words}).encode(), socket.MSG_DONTWAIT)
        except BlockingIOError:
            return  # the other half does not read: its silence will tell

    def hear(self, message):
        self.heard_at = now()
        if message["kind"] == "wayBack":
            raise WayBack(message["reason"])
        # Both only grow, so an old value that comes back to the poller cannot set it back.
        if message["endsAt"] is not None:
            self.advanced_at = max(self.advanced_at or 0.0, message["advancedAt"])
            self.ends_at = message["endsAt"]

    def check(self, extra_seconds=0.0):
        """The reasons both halves know."""
        if self.store.has_tombstone() or not self.store.exists():
            raise WayBack("ROLLBACK")
        if self.ends_at is None:
            return
        if now() >= self.ends_at:
            raise WayBack("TTL")
        if self.advanced_at is None or now() - self.advanced_at > self.grace_seconds + extra_seconds:
            raise WayBack("LEASE_LOST")

    def go_back(self, reason, sibling):
        try:
            self.send("wayBack", reason=reason)
        except ConnectionError:
            pass
        if sibling and reason == "WATCHDOG_DIED":
            # Stopped or hung, it must not wake up in the middle of what we are taking back.
            end_group(*sibling)
        for _ in range(60):
            try:
                state = self.lift(reason)
                log(f"lift: {reason}: {state['state']}")
                if state["state"] == "REVERTING":
                    state = way_back.settle(self.store)
                    log(f"settle: {state['state']}")
                if state["state"] != "FAILED" or "liftedAt" in state:
                    break
            except OSError as error:
                log(f"way back: {error}")
            time.sleep(1)

    def lift(self, reason):
        state = way_back.lift(self.store, reason)
        if state is None:
            # Someone removed the record; what we remember is enough to take the fault back.
            self.store.make()
            self.store.write({**self.state, "state": "APPLYING", "reason": "the record had been removed"})
            state = way_back.lift(self.store, reason)
        return state


def protect():
    """Best effort: not the first to be killed, starved or swapped out when the host suffers from the fault."""
    for step in (
        lambda: open("/proc/self/oom_score_adj", "w", encoding="ascii").write("-1000"),
        lambda: os.setpriority(os.PRIO_PROCESS, 0, -10),
        lambda: ctypes.CDLL(None).mlockall(1 | 2 | 4),  # now, later, and only what is touched
    ):
        try:
            step()
        except OSError:
            continue


def identity(pid):
    found = processes.stat(pid)
    return [pid, found[1] if found else "0"]


def leash(store, state):
    """Watches the poller and the clock. It is the parent, so the poller's number cannot be given to another process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    parent = identity(os.getpid())
    pid = os.fork()
    if pid == 0:
        os.setsid()
        ours.close()
        run_half(lambda: poller(Half(store, state, theirs), state, parent))
    theirs.close()
    half, child = Half(store, state, ours), identity(pid)
    with store.lock():
        current = store.read()
        current["pair"] = {"leash": parent, "poller": child}
        store.write(current)
    until = now() + START_SECONDS
    try:
        while True:
            half.beat(TICK_SECONDS)
            # The poller decides about the lease; a moment later its word is not needed any more.
            half.check(extra_seconds=0.3)
            if half.ends_at is None and now() > until:
                raise WayBack("APPLY_FAILED")
    except WayBack as reason:
        half.go_back(str(reason), child)


def poller(half, state, parent):
    view = LeaseView(half.values["experimentId"], state["grant"])
    reader = Poller(half.values["leaseTable"], half.values["experimentId"], state["region"], view)
    threading.stack_size(512 * 1024)
    reader.start()
    try:
        refusal = wait_for_lease(half, view, reader) or apply(half, view)
        if refusal:
            with half.store.lock(tick=half.beat):
                state = half.store.read()
                state.update(state="REFUSED", reason=refusal)
                half.store.write(state)
            return
        while True:
            half.advanced_at = max(half.advanced_at, view.advanced_at)
            half.beat(TICK_SECONDS)
            if view.released:
                raise WayBack(view.released)
            half.check()
    except WayBack as reason:
        half.go_back(str(reason), parent)


def wait_for_lease(half, view, reader):
    """Why the fault may not be applied, or None when the lease is held, granted and advancing."""
    until = now() + ARMING_SECONDS
    while not view.watched():
        half.beat(TICK_SECONDS)
        half.check()
        if view.released:
            return f"the lease is released ({view.released})"
        if now() > until:
            why = reader.problem or view.missing or f"the beat advanced {view.advances} times, 2 are needed"
            return f"no lease within {ARMING_SECONDS} s: {why}"
    return None


def apply(half, view):
    """Applies under the lock, or says why not. A failure half-way is taken back like a success."""
    store = half.store
    with store.lock(tick=half.beat):
        if store.has_tombstone():
            return "it was reverted before"
        state = store.read() or half.state
        state["before"] = snapshot.take()
        half.beat()
        if not view.watched() or view.lost(now(), half.grace_seconds):
            return f"the lease was lost while arming: {view.released or view.missing or 'no advance'}"
        half.advanced_at, half.ends_at = view.advanced_at, now() + int(half.values["ttlSeconds"])
        state.update(state="APPLYING", endsAtSeconds=half.ends_at)
        store.write(state)
        try:
            way_back.script(way_back.fault_script(state), "apply", state, half.beat)
        except OSError as error:
            state["reason"] = str(error)
            store.write(state)
            raise WayBack("APPLY_FAILED") from None
        state.update(state="APPLIED", appliedAt=utc())
        store.write(state)
    return None


def run_half(body):
    """A half never returns into the command that started it; what it did not foresee, the other half takes back."""
    try:
        protect()
        body()
    except BaseException as error:  # the process ends here either way; the log is all that is left to tell
        log(f"died: {type(error).__name__}: {error}")
        os._exit(1)
    os._exit(0)


def detach(store, state):
    """Starts the leash in a session of its own: a cancelled command is SIGKILL for its whole process group."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    os.setpgid(0, 0)
    os.chdir("/")
    os.dup2(os.open("/dev/null", os.O_RDWR), 0)
    os.dup2(os.open(f"{store.directory}/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 1)
    os.dup2(1, 2)
    os.closerange(3, 256)
    run_half(lambda: leash(store, state))


def existing(store, digest):
    """The record of the same fault if it is already here. Raises Refused when nothing may be started."""
    if store.has_tombstone():
        raise Refused("faultId: it was reverted before, an id is used once")
    for other in store.others():
        if other["state"] in ACTIVE and (other["state"] != "ARMING" or is_watched(other)):
            raise Refused(f"faultId: {other['faultId']} is {other['state']} on this host; one fault at a time")
    state = store.read()
    if state is None or state["state"] == "REFUSED" or (state["state"] == "ARMING" and not is_watched(state)):
        return None
    if parameters.digest(state["values"]) != digest:
        raise Refused("faultId: it is in use with other parameters")
    return state


def inject():
    kind = arming.kind_of_program(way_back.PROGRAM)
    values = parameters.read_fault(kind)
    os.makedirs("/run/holdfast", mode=0o700, exist_ok=True)
    store, digest = Store(values["faultId"]), parameters.digest(values)
    if not existing(store, digest):
        state = arming.prepare(kind, values)
        with store.lock():
            if not existing(store, digest):
                store.make()
                store.write(state)
                detach(store, state)
    until = now() + START_SECONDS
    while True:
        state = store.read()
        if state["state"] not in ("ARMING", "APPLYING"):
            break
        if now() > until or not is_watched(state):
            way_back.lift(store, "APPLY_FAILED")
            state = store.read()
            break
        time.sleep(0.02)
    if state["state"] == "APPLIED" and not is_watched(state):
        way_back.lift(store, "WATCHDOG_DIED")
        state = way_back.settle(store)
    return state, (EXIT.get(state["state"], 4) if state["state"] in ("APPLIED", "REFUSED") else 4)


def revert():
    fault_id = parameters.read({name: parameters.COMMON[name] for name in ("experimentId", "faultId")})["faultId"]
    store = Store(fault_id)
    state = way_back.lift(store, "ROLLBACK")
    if state and state["state"] != "REFUSED":
        if state["state"] == "REVERTING":
            state = way_back.settle(store)
        return state, EXIT.get(state["state"], 4)
    answer = nothing(fault_id, state)
    if way_back.revert_without_record(fault_id):
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
    print(json.dumps(public(state)), flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
