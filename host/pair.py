"""The pair of processes that outlives the command: the *poller* reads the lease and applies the fault, the *leash*
watches the poller and the clock."""
import ctypes
import os
import socket
import threading

import scripts
import snapshot
from half import TICK_SECONDS, Half, WayBack
from lease import LeaseView, Poller, now
from store import log, utc

ARMING_SECONDS = 10
START_SECONDS = 14


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


def run_half(body):
    """A half never returns into the command that started it; what it did not foresee, the other half takes back."""
    try:
        protect()
        body()
    except BaseException as error:  # the process ends here either way; the log is all that is left to tell
        log(f"died: {type(error).__name__}: {error}")
        os._exit(1)
    os._exit(0)


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
    return [pid, scripts.start_time(pid)]


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
    reader = Poller(state["leaseTable"], half.values["experimentId"], state["region"], view)
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
            scripts.run(scripts.fault(state), "apply", state, half.beat)
        except OSError as error:
            state["reason"] = str(error)
            store.write(state)
            raise WayBack("APPLY_FAILED") from None
        state.update(state="APPLIED", appliedAt=utc())
        store.write(state)
    return None
