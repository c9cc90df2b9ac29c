"""The pair of processes that outlives the command: the *poller* reads the lease and applies the fault, the *leash*
watches the poller and the clock.

As a program: `pair.py watch FAULT_ID LAYER` is the leash; `pair.py stopped FAULT_ID INSTANCE_ID` is what systemd runs when the unit
of the pair has ended.
"""
import ctypes
import gc
import os
import socket
import subprocess
import sys
import threading

import kinds
import processes
import scripts
import snapshot
import systemd
import way_back
import workers
from bounds import ARMING_SECONDS, INJECT_ANSWER_SECONDS
from half import TICK_SECONDS, Half, WayBack, take_back
from lease import LeaseView, now
from store import FINAL, Store, log, utc

BEGIN_SECONDS = 8
# What the pair needs of the command's environment; none of it is secret.
ENVIRONMENT = (
    "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_CA_BUNDLE", "AWS_EC2_METADATA_SERVICE_ENDPOINT",
)


def environment():
    return {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}


def start(store, state):
    """Starts the leash: in a unit of its own where systemd runs, else, or when that fails, in a session of its own."""
    program = ["/usr/bin/python3", "-E", "-s", "-S", "-B", os.path.abspath(__file__)]
    if state["layer"] == "systemd":
        try:
            return systemd.run(
                store.fault_id,
                [*program, "watch", store.fault_id, "systemd"],
                [*program, "stopped", store.fault_id, state["instanceId"]],
            )
        except OSError as error:
            log(str(error))
        with store.lock():
            state = store.read()
            if not may_watch(state, "systemd"):
                return None
            # From here on a unit that comes late finds that it is not the one.
            state.update(layer="pair", armedAtSeconds=now())
            store.write(state)
    return detach([*program, "watch", store.fault_id, "pair"])


def detach(command):
    """A cancelled command is SIGKILL for its whole process group; closing its pipes lets the command end."""
    subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
        start_new_session=True,
    )


def may_watch(state, layer):
    """Is the fault of this record still to be watched by a pair of this layer?"""
    return bool(state) and state["state"] == "ARMING" and state["layer"] == layer and "pair" not in state


def run_half(body):
    """What a half did not foresee, the other half takes back."""
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
        lambda: ctypes.CDLL(None).malloc_trim(0),  # compiling this program has left holes behind
        lambda: ctypes.CDLL(None).mlockall(1 | 2 | 4),  # now, later, and only what is touched
    ):
        try:
            step()
        except OSError:
            continue


def identity(pid):
    return [pid, scripts.start_time(pid)]


def leash(store, layer):
    """Watches the poller and the clock. It is the parent, so the poller's number cannot be given to another process."""
    notifier = systemd.Notifier()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    parent = identity(os.getpid())
    with store.lock() as lock:
        state = store.read()
        if not may_watch(state, layer):
            return
        os.environ.update(state["environment"])
        # What both have is left as it is, so that the kernel goes on sharing it between them.
        gc.freeze()
        pid = os.fork()
        if pid == 0:
            # First of all: if we are killed now, nobody else may have the lock.
            os.close(lock)
            os.setsid()
            ours.close()
            run_half(lambda: poller(Half(store, state, theirs), state, parent))
        theirs.close()
        half, child = Half(store, state, ours, notifier), identity(pid)
        state["pair"] = {"leash": parent, "poller": child}
        store.write(state)
    notifier.ready()
    # It loads TLS first; before it has spoken it has changed nothing.
    half.heard_at += BEGIN_SECONDS
    until = now() + INJECT_ANSWER_SECONDS
    try:
        while True:
            half.beat(TICK_SECONDS)
            # The poller decides about the lease; a moment later its word is not needed any more.
            half.check(extra_seconds=TICK_SECONDS + 0.3)
            if half.ends_at is None and now() > until:
                raise WayBack("APPLY_FAILED")
    except WayBack as reason:
        half.go_back(str(reason), child)


def poller(half, state, parent):
    # The leash does without TLS.
    import lease_table

    view = LeaseView(half.values["experimentId"], state["grant"])
    reader = lease_table.Poller(state["leaseTable"], half.values["experimentId"], state["region"], view)
    threading.stack_size(512 * 1024)
    reader.start()
    # Nobody but us has the end that is written to: when we die, the workers read the end of the pipe.
    life_fd, _ = os.pipe()
    try:
        refusal = wait_for_lease(half, view, reader) or apply(half, view, reader, life_fd)
        if refusal:
            with half.store.lock(tick=half.beat):
                state = half.store.read()
                state.update(state="REFUSED", reason=refusal)
                half.store.write(state)
            return
        while True:
            tell(half, view, TICK_SECONDS)
            if view.released:
                raise WayBack(view.released)
            half.check()
            check_workers(half.state["workers"])
    except WayBack as reason:
        half.go_back(str(reason), parent)


def tell(half, view, wait_seconds=0.0):
    """A beat with the news of the lease."""
    half.advanced_at = max(half.advanced_at, view.advanced_at)
    half.beat(wait_seconds)


def check_workers(recorded):
    """A fault whose worker is dead or stopped is not the fault that was asked for."""
    for pid, started in recorded:
        found = processes.stat(pid)
        if not found or found[1] != started or found[0] in "ZXTt":
            raise WayBack("WORKER_DIED")


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


def apply(half, view, reader, life_fd):
    """Applies under the lock, or says why not. A failure half-way is taken back like a success."""
    store = half.store
    with store.lock(tick=half.beat):
        if store.has_tombstone():
            return "it was reverted before"
        state = store.read() or half.state
        # It was so when we were armed; another fault may have been, while it was not known that we live.
        conflict = store.conflict(half.values["experimentId"], state["resource"])
        if conflict:
            return conflict
        state["before"] = while_beating(half, lambda: snapshot.take(state))
        if not view.watched() or view.lost(now(), half.grace_seconds):
            return f"the lease was lost while arming: {view.released or view.missing or 'no advance'}"
        half.advanced_at, half.ends_at = view.advanced_at, now() + int(half.values["ttlSeconds"])
        state.update(state="APPLYING", endsAtSeconds=half.ends_at)
        store.write(state)
        try:
            scripts.run(scripts.fault(state), "apply", state, lambda: tell(half, view), life_fd=life_fd)
        except OSError as error:
            state["reason"] = str(error)
            store.write(state)
            raise WayBack("APPLY_FAILED") from None
        carriers, wanted = workers.find(store.fault_id), kinds.call(state["kind"], "workers", half.values) or 0
        if len(carriers) < wanted:
            state["reason"] = f"{len(carriers)} of {wanted} workers live"
            store.write(state)
            raise WayBack("APPLY_FAILED")
        # By the clock of the lease: the host's own may be what the fault has changed.
        state.update(state="APPLIED", appliedAt=utc(reader.clock.utc()), workers=carriers)
        store.write(state)
        half.state = state
    return None


def while_beating(half, look):
    """What `look`, which only reads, says: on a slow host it takes longer than a half may be silent."""
    found = []
    reader = threading.Thread(target=lambda: found.append(look()), daemon=True)
    reader.start()
    while reader.is_alive():
        half.beat(0.05)
    if not found:
        raise WayBack("APPLY_FAILED")
    return found[0]


def stopped(store, instance_id):
    """The unit has ended, however it did: what its pair did not take back is taken back here."""
    state = store.read()
    if state is None:
        way_back.revert_without_record(store.fault_id, instance_id)
    elif state["layer"] == "systemd" and state["state"] not in FINAL:
        take_back(store, "WATCHDOG_DIED", state)


def main(arguments):
    os.umask(0o077)
    os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    verb, store, last = arguments[0], Store(arguments[1]), arguments[2]
    os.chdir("/")
    try:
        output = os.open(f"{store.directory}/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError:
        output = os.open("/dev/null", os.O_WRONLY)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    run_half((lambda: leash(store, last)) if verb == "watch" else (lambda: stopped(store, last)))


if __name__ == "__main__":
    main(sys.argv[1:])
