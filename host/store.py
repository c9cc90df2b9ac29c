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
import scripts
from lease import now

ROOT = "/run/holdfast"
HOLDER_BYTES = 64
# Longer than a sound holder takes on a slow host: its scripts end after 5 s each.
HOLD_SECONDS = 20.0
STOPPED_SECONDS = 1.5
# From the record to the first process that watches: systemd may take its time.
BIRTH_SECONDS = 12
FINAL = ("REVERTED", "REFUSED")
ACTIVE = ("ARMING", "APPLYING", "APPLIED", "REVERTING", "FAILED")


def utc(seconds=None):
    """For evidence only; nothing is decided by it. Of the wall clock, unless another one (epoch seconds) is given."""
    at = datetime.datetime.fromtimestamp(time.time() if seconds is None else seconds, datetime.timezone.utc)
    text = at.isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def log(text):
    """To the file of the fault; a full /run must not stop the one who has something to say."""
    with contextlib.suppress(OSError):
        print(f"{utc()} {os.getpid()} {text}", file=sys.stderr, flush=True)


def end_holder(pid, started):
    """SIGKILL for a process of ours and for the scripts it was running, if it is still the one that was recorded; its
    scripts also when it is dead already. Raises OSError when one of them cannot be ended."""
    processes.send(pid, started, signal.SIGKILL)
    processes.wait_gone(pid, started, 0.5)
    scripts.end(pid, started)


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

    def conflict(self, experiment_id, resource):
        """Why this fault, of that experiment and with that resource, must not begin on this host, or None."""
        return next(filter(None, (conflict(other, experiment_id, resource) for other in self.others())), None)

    @contextlib.contextmanager
    def lock(self, name="lock", patience_seconds=HOLD_SECONDS, not_before_seconds=0.0, tick=None):
        """Who holds this may change the host. A holder that is stopped, or that has held it longer than any sound one
        could (and not before the given time), is ended with its scripts: what it did under the lock is done again,
        idempotently, by whoever comes next. Raises OSError when it cannot be ended. A forked child has to close the
        descriptor that it gets with this: it would hold the lock for as long as it lives."""
        os.makedirs(ROOT, mode=0o700, exist_ok=True)
        descriptor, told = os.open(f"{ROOT}/{name}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), None
        try:
            while not try_lock(descriptor):
                holder = read_holder(descriptor)
                if holder:
                    pid, started, held_seconds = holder
                    late = held_seconds > patience_seconds and now() > not_before_seconds
                    if late or held_seconds > STOPPED_SECONDS and is_stopped(pid, started):
                        if told != pid:
                            told = pid
                            log(f"ends {pid}, which held {name} for {held_seconds:.1f} s")
                        end_holder(pid, started)
                if tick:
                    tick()
                time.sleep(0.01)
            dead = read_holder(descriptor)
            if dead:
                # It died under the lock: what it had started must not go on beside us.
                scripts.end(dead[0], dead[1])
            write_holder(descriptor, f"{os.getpid()} {scripts.start_time(os.getpid())} {now():.3f}")
            try:
                yield descriptor
            finally:
                write_holder(descriptor, "")
        finally:
            # A forked child shares the open file: closing ours alone would not release it.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)


def try_lock(descriptor):
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False


def read_holder(descriptor):
    """(pid, start time, seconds since it got the lock), or None when nobody says to hold it."""
    words = os.pread(descriptor, HOLDER_BYTES, 0).decode().split()
    return (int(words[0]), words[1], now() - float(words[2])) if len(words) == 3 else None


def write_holder(descriptor, text):
    # Always the same length, so that it can be written when /run is full.
    with contextlib.suppress(OSError):
        os.pwrite(descriptor, text.ljust(HOLDER_BYTES).encode(), 0)


def is_stopped(pid, started):
    found = processes.stat(pid)
    return found is not None and found[1] == started and found[0] in "Tt"


def is_active(state):
    """May something of the fault be on the host? What was to be armed when its pair died has changed nothing."""
    return state["state"] in ACTIVE and (state["state"] != "ARMING" or is_watched(state))


def conflict(other, experiment_id, resource):
    """Why a fault of this experiment must not begin beside the recorded one, or None. Faults of one experiment may share
    a host, but never what they change on it: the way back of one would take the other one away, or believe that it had."""
    if not is_active(other):
        return None
    found = f"{other['faultId']} is {other['state']} on this host"
    if other["values"]["experimentId"] != experiment_id:
        return f"{found}; one experiment at a time"
    # What a record of another version does not tell is taken for the same.
    return f"{found}; one fault at a time on its {resource}" if other.get("resource", resource) == resource else None


def is_watched(state):
    """Is a half of the pair alive? Between the record and the birth of the pair, the record's age answers."""
    pair = state.get("pair")
    if not pair:
        return now() - state["armedAtSeconds"] < BIRTH_SECONDS
    return any(processes.is_same(pid, start_time) for pid, start_time in pair.values())


def public(state):
    """The contract's part of a record."""
    names = (
        "faultId", "instanceId", "state", "reason", "appliedAt", "liftedAt", "revertReason", "fence", "undo", "leftovers",
        "changes",
    )
    shown = {name: state[name] for name in names if state.get(name) is not None}
    if shown["state"] == "APPLYING":
        shown["state"] = "ARMING"
    return shown
