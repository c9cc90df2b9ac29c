"""The pair of processes that outlives the command: the runner reads the lease and applies the fault, the supervisor
watches the runner and the clock. As programs: `watchdog.py watch FAULT_ID unit|bare` is the supervisor; `watchdog.py
stopped FAULT_ID INSTANCE_ID` is what systemd runs when the unit of the pair has ended."""

from __future__ import annotations

import ctypes
import gc
import os
import socket
import subprocess
import sys
from collections.abc import Callable

import engines
import faults
import log
import revert
from fault_files import ROOT, FaultFiles
from linux import processes
from linux.boot_clock import now
from record import FINAL, FaultRecord, Pair, State
from supervision import decide, lock, peer, unit
from supervision.channel import Channel
from supervision.peer import Leaving, Peer

PROGRAM = os.path.abspath(sys.argv[0])
PYTHON = ["/usr/bin/python3", "-E", "-s", "-S", "-B"]
UNIT, BARE = "unit", "bare"
LOCK_NOW_AND_LATER_ON_FAULT = 1 | 2 | 4


def start(files: FaultFiles, record: FaultRecord) -> None:
    """Starts the supervisor: in a unit of its own where systemd runs, else, or when that fails, in a session of its
    own."""
    program = [*PYTHON, PROGRAM]
    if record.under_systemd:
        try:
            watch = [*program, "watch", files.fault_id, UNIT]
            return unit.run(record.digest, watch, [*program, "stopped", files.fault_id, record.instance_id or ""])
        except OSError as error:
            log.say(str(error))
        with lock.hold(record.resource):
            found = files.read()
            if not found or not may_watch(found, UNIT):
                return None
            # From here on a unit that comes late finds that it is not the one.
            found.under_systemd, found.armed_at_seconds = False, now()
            files.write(found)
    return detach([*program, "watch", files.fault_id, BARE])


def detach(words: list[str]) -> None:
    """A cancelled command is SIGKILL for its whole process group; closing its pipes lets the command end."""
    nothing = subprocess.DEVNULL
    subprocess.Popen(words, stdin=nothing, stdout=nothing, stderr=nothing, cwd="/", start_new_session=True)


def may_watch(record: FaultRecord, layer: str) -> bool:
    """Is the fault of this record still to be watched by a pair of this layer?"""
    return record.state is State.ARMING and record.under_systemd == (layer == UNIT) and record.pair is None


def protect() -> None:
    """Best effort: not the first to be killed, starved or swapped out when the host suffers from the fault."""
    library = ctypes.CDLL(None)

    def spare_from_oom() -> None:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write("-1000")

    steps: list[Callable[[], object]] = [
        spare_from_oom,
        lambda: processes.take_priority(-10),
        lambda: library.malloc_trim(0),  # compiling this program has left holes behind
        lambda: library.mlockall(LOCK_NOW_AND_LATER_ON_FAULT),
    ]
    for step in steps:
        try:
            step()
        except OSError:
            continue


def watch(fault_id: str, layer: str) -> None:
    """The supervisor. It is the parent, so the runner's number cannot be given to another process."""
    files, notifier = FaultFiles(fault_id), unit.Notifier()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    supervisor = processes.identify(os.getpid())
    found = files.read()
    if not found:
        return
    with lock.hold(found.resource) as held:
        record = files.read()
        if not record or not may_watch(record, layer):
            return
        os.environ.update(record.environment)
        # What a hung disk could keep from us later.
        faults.load(record.kind)
        if record.is_fenced:
            engines.load(record.engine)
            revert.fence_of(record)
        # While /run has room for it.
        os.close(os.open(f"{ROOT}/lock.settling.{fault_id}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        # What both have is left as it is, so that the kernel goes on sharing it between them.
        gc.freeze()
        pid = os.fork()
        if pid == 0:
            # First of all: if the supervisor is killed now, nobody else may have the lock.
            os.close(held)
            os.setsid()
            ours.close()
            peer.run(lambda: run_runner(Peer(files, record, Channel(theirs), is_runner=True)))
        theirs.close()
        runner = processes.identify(pid)
        record.pair = Pair(supervisor, runner)
        files.write(record)
    own = Peer(files, record, Channel(ours), is_runner=False, notifier=notifier)
    notifier.ready()
    try:
        while True:
            own.wait(decide.TICK_SECONDS)
    except Leaving as leaving:
        assert isinstance(leaving.decision, decide.Revert)
        own.leave(leaving.decision, runner)


def run_runner(own: Peer) -> None:
    from supervision import runner  # noqa: PLC0415 the supervisor does without TLS

    protect()
    parent = processes.identify(os.getppid())
    runner.run(own, parent)


def stopped(fault_id: str, instance_id: str) -> None:
    """The unit has ended, however it did: what its pair did not revert is reverted here."""
    files = FaultFiles(fault_id)
    try:
        record = files.read()
    except OSError as error:
        log.say(str(error))
        record = None
    if record is None:
        revert.without_record(fault_id, instance_id)
    elif record.under_systemd and record.state not in FINAL:
        os.environ.update(record.environment)
        peer.revert_until_done(files, decide.WATCHDOG_DIED, record)


def main(verb: str, fault_id: str, last: str) -> None:
    os.chdir("/")
    try:
        output = os.open(f"{ROOT}/{fault_id}/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError:
        output = os.open("/dev/null", os.O_WRONLY)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    protect()
    peer.run((lambda: watch(fault_id, last)) if verb == "watch" else (lambda: stopped(fault_id, last)))
