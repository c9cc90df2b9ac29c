"""Processes that carry a fault while it lives: load, a file that fills a disk, pauses that come and go. They outlive
the verb that starts them, so they carry a mark of their own; their death ends what they do. See
workers/worker_lifetime.py."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import NamedTuple

from linux import cgroup, processes
from linux.boot_clock import now
from linux.processes import ProcessId
from record import FaultRecord

PROGRAM = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
END_SECONDS = 2.0
#: For one that still holds something, such as packets.
ORDERLY_SECONDS = 0.2
NICE = 0
#: Less than the smallest amount that can be asked for, more than a program's own memory varies.
NOISE_BYTES = 1 << 19


class Pipes(NamedTuple):
    """What the runner holds for its workers."""

    #: Ends when the runner does: nobody else has the other end.
    life: int
    #: A worker says `ready` there, or why it cannot begin.
    word: int


def find(fault_id: str) -> list[ProcessId]:
    """The fault's workers that live on this host."""
    wanted = f"HOLDFAST_WORKER={fault_id}".encode()
    return [processes.identify(pid) for pid in processes.pids() if is_ours(pid, wanted)]


def is_ours(pid: int, wanted: bytes) -> bool:
    try:
        # Hosts that share their processes (containers) have networks of their own.
        return processes.has_in_environment(pid, wanted) and os.readlink(f"/proc/{pid}/ns/net") == os.readlink(
            "/proc/self/ns/net"
        )
    except OSError:
        return False


def end(fault_id: str) -> None:
    """SIGTERM, and a moment later SIGKILL, until none is left: one that shows no mark any more may still hold its file.
    Raises OSError when one stays."""
    orderly_until, until, seen = now() + ORDERLY_SECONDS, now() + END_SECONDS, set[ProcessId]()
    while True:
        seen |= set(find(fault_id))
        left = [worker for worker in seen if processes.is_alive(worker)]
        if not left:
            return
        if now() > until:
            raise OSError(f"workers {', '.join(str(worker.pid) for worker in left)} do not end")
        # One that is stopped has to go on to hear of it.
        signals = (signal.SIGTERM, signal.SIGCONT) if now() < orderly_until else (signal.SIGKILL,)
        for worker in left:
            for number in signals:
                with contextlib.suppress(OSError):
                    processes.send(worker, number)
        time.sleep(0.005)


def start(
    record: FaultRecord,
    pipes: Pipes,
    name: str,
    arguments: list[str],
    group: cgroup.Group | None = None,
    limits: list[cgroup.Limit] | None = None,
) -> None:
    """Returns before it has begun: the runner hears its word. Unless the fault has one already."""
    if find(record.fault_id):
        os.write(pipes.word, b"ready\n")
        return
    scope: list[str] = []
    if group:
        cgroup.make(group, limits or [])
        scope = cgroup.scope_command(group, limits or [])
    words = [*scope, "/usr/bin/python3", "-I", "-B", f"{PROGRAM}/workers/{name}.py", *arguments]
    if os.fork() == 0:
        become(record, pipes, words, group)


def become(record: FaultRecord, pipes: Pipes, words: list[str], group: cgroup.Group | None) -> None:
    """In a process of its own; does not return."""
    try:
        os.setsid()
        # The watchdog comes first: a worker has neither its priority nor its protection from the OOM killer.
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write("0")
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
        if group:
            cgroup.enter(group)
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        os.dup2(pipes.word, 1)
        with contextlib.suppress(OSError):
            log = f"/run/holdfast/{record.fault_id}/log"
            os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 2)
        os.set_inheritable(pipes.life, True)
        os.chdir("/")
        environment = {
            "PATH": os.environ["PATH"], "LC_ALL": "C",
            "HOLDFAST_WORKER": record.fault_id,
            "HOLDFAST_LIFE_FD": str(pipes.life),
            "HOLDFAST_ENDS_AT": f"{record.ends_at_seconds or 0:.3f}",
        }  # fmt: skip
        os.execvpe(words[0], words, environment)
    except BaseException as error:
        os.write(pipes.word, f"it could not be started: {error}\n".encode())
    finally:
        os._exit(1)


def cpu_seconds(worker: ProcessId) -> float:
    """Of a worker that lives, by the scheduler: clock ticks are too coarse for a small load."""
    try:
        with open(f"/proc/{worker.pid}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0]) / 1e9
    except (OSError, IndexError):
        return 0.0


def held_bytes(worker: ProcessId, without: int) -> int:
    """Memory of its own, beyond what it takes without holding anything."""
    try:
        with open(f"/proc/{worker.pid}/statm", encoding="ascii") as file:
            resident, shared = (int(word) for word in file.read().split()[1:3])
    except (OSError, ValueError):
        return 0
    held = (resident - shared) * os.sysconf("SC_PAGE_SIZE") - without
    return held if held > NOISE_BYTES else 0


def moved_bytes(worker: ProcessId) -> int:
    """Read and written by system calls."""
    try:
        with open(f"/proc/{worker.pid}/io", encoding="ascii") as file:
            counts = dict(line.split(": ") for line in file.read().splitlines())
    except OSError:
        return 0
    return int(counts["rchar"]) + int(counts["wchar"])
