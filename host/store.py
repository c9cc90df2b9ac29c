"""What the host remembers of a fault, in /run/holdfast: gone with a reboot, like everything the fault changes."""
import contextlib
import datetime
import fcntl
import json
import os
import signal
import sys
import time

import processes
from lease import now

ROOT = "/run/holdfast"
ACTIVE = ("ARMING", "APPLYING", "APPLIED", "REVERTING", "FAILED")


def utc():
    """For evidence only; nothing is decided by it."""
    text = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def log(text):
    """To the file of the fault; a full /run must not stop the one who has something to say."""
    with contextlib.suppress(OSError):
        print(f"{utc()} {os.getpid()} {text}", file=sys.stderr, flush=True)


def end_group(pid, start_time):
    """SIGKILL for a process of ours and what it started, if it is still the one that was recorded."""
    found = processes.stat(pid)
    if not found or found[1] != str(start_time):
        return
    with contextlib.suppress(OSError):
        if os.getpgid(pid) == pid and pid != os.getpgid(0):
            os.killpg(pid, signal.SIGKILL)
            # What a killed child had begun in the kernel may still finish: wait until the whole group is gone.
            for _ in range(60):
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
                os.killpg(pid, 0)
                time.sleep(0.005)
        else:
            processes.send(pid, start_time, signal.SIGKILL)


class Store:
    """Files of one fault, and the locks all faults of the host share."""

    def __init__(self, fault_id):
        self.fault_id = fault_id
        self.directory = f"{ROOT}/{fault_id}"

    def make(self):
        os.makedirs(self.directory, mode=0o700, exist_ok=True)

    def read(self):
        try:
            with open(f"{self.directory}/state.json", encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return None

    def write(self, state):
        """Atomic: a reader, or the half that survives us, sees the old record or the new one."""
        temporary = f"{self.directory}/.state.{os.getpid()}"
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(state, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, f"{self.directory}/state.json")

    def has_tombstone(self):
        return os.path.exists(f"{self.directory}/tombstone")

    def exists(self):
        return os.path.exists(f"{self.directory}/state.json")

    def leave_tombstone(self):
        self.make()
        with open(f"{self.directory}/tombstone", "a", encoding="utf-8"):
            pass

    def others(self):
        """States of the other faults on this host."""
        for name in os.listdir(ROOT):
            if name != self.fault_id and os.path.exists(f"{ROOT}/{name}/state.json"):
                state = Store(name).read()
                if state:
                    yield state

    @contextlib.contextmanager
    def lock(self, name="lock", patience_seconds=5.0, tick=None):
        """Who holds this may change the host. A holder that does not let go (stopped, hung) is killed with its children:
        all it did under the lock is done again, idempotently, by whoever comes next."""
        os.makedirs(ROOT, mode=0o700, exist_ok=True)
        descriptor = os.open(f"{ROOT}/{name}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            until = now() + patience_seconds
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if now() > until:
                        until = now() + patience_seconds
                        holder = os.pread(descriptor, 64, 0).decode().split()
                        if len(holder) == 2:
                            end_group(int(holder[0]), holder[1])
                    if tick:
                        tick()
                    time.sleep(0.01)
            found = processes.stat(os.getpid())
            # Always the same length, so that it can be written when /run is full.
            with contextlib.suppress(OSError):
                os.pwrite(descriptor, f"{os.getpid()} {found[1] if found else 0}".ljust(64).encode(), 0)
            yield
        finally:
            # A forked child shares the open file: closing ours alone would not release it.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)


def is_watched(state):
    """Is a half of the pair alive? Between the record and the birth of the pair, the record's age answers."""
    pair = state.get("pair")
    if not pair:
        return now() - state["armedAtSeconds"] < 5
    return any(processes.is_same(pid, start_time) for pid, start_time in pair.values())


def public(state):
    """The contract's part of a record."""
    names = (
        "faultId", "instanceId", "state", "reason", "appliedAt", "liftedAt", "revertReason", "fence", "undo", "leftovers"
    )
    shown = {name: state[name] for name in names if state.get(name) is not None}
    if shown["state"] == "APPLYING":
        shown["state"] = "ARMING"
    return shown
