"""Processes by number and start time, or by the port they own; never by name: Sentinel and Redis share a binary."""

from __future__ import annotations

import glob
import os
import select
import signal
from typing import NamedTuple


class ProcessId(NamedTuple):
    """A number alone may be given to another process."""

    pid: int
    #: In clock ticks since boot, as the kernel writes it.
    start_time: str


class ProcessStat(NamedTuple):
    #: `R`, `S`, `T`, `Z`, …
    state: str
    start_time: str


def stat(pid: int) -> ProcessStat | None:
    """None when there is no such process. The name in parentheses may hold anything."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        return ProcessStat(fields[0], fields[19])
    except (OSError, IndexError):
        return None


def identify(pid: int) -> ProcessId:
    """The start time of a process that is gone is `0`, which no process has."""
    found = stat(pid)
    return ProcessId(pid, found.start_time if found else "0")


def pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def is_alive(process: ProcessId) -> bool:
    """True while the process that was recorded lives (a zombie does not)."""
    found = stat(process.pid)
    return found is not None and found.start_time == process.start_time and found.state not in "ZX"


def is_stopped(process: ProcessId) -> bool:
    found = stat(process.pid)
    return found is not None and found.start_time == process.start_time and found.state in "Tt"


def send(process: ProcessId, number: int) -> bool:
    """Signals exactly the recorded process: the start time is checked after the pidfd pins the pid. False if it is
    gone."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    try:
        if not is_alive(process):
            return False
        signal.pidfd_send_signal(descriptor, number)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)


def wait_gone(process: ProcessId, seconds: float) -> bool:
    """Has it ended, or does it within so long?"""
    if not is_alive(process):
        return True
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def has_in_environment(pid: int, wanted: bytes) -> bool:
    """Is `NAME=value` in its environment? A process that has given up its memory shows none: it can do nothing
    either."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return wanted in file.read().split(b"\0")
    except OSError:
        return False


def name_of(pid: int) -> str | None:
    """As the kernel cuts it off."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().rstrip("\n")
    except OSError:
        return None


def listening_inodes(port: int) -> set[str]:
    """Socket inodes that listen on the TCP port in this network namespace."""
    inodes: set[str] = set()
    for path in ("/proc/self/net/tcp", "/proc/self/net/tcp6"):
        try:
            with open(path, encoding="ascii") as file:
                rows = [line.split() for line in file][1:]
        except OSError:
            continue
        inodes |= {row[9] for row in rows if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port}
    return inodes


def owner_of_port(port: int) -> int | None:
    wanted = {f"socket:[{inode}]" for inode in listening_inodes(port)}
    owners: set[int] = set()
    for link in glob.iglob("/proc/[0-9]*/fd/*") if wanted else ():
        try:
            if os.readlink(link) in wanted:
                owners.add(int(link.split("/")[2]))
        except OSError:
            continue
    # A pre-forking store shares its socket with its children; the oldest one is the store.
    return min(owners, key=lambda pid: int(identify(pid).start_time), default=None)


def take_priority(nice: int) -> None:
    """Gives this process the priority, and the session that it leads. Raises OSError when it may not have it."""
    os.setpriority(os.PRIO_PROCESS, 0, nice)
    if os.getsid(0) == os.getpid():
        rank_session(os.getpid())


def rank_session(pid: int) -> None:
    """Gives the session of that process the priority of this one. With autogroups (sched(7)) the kernel compares
    sessions first, and priorities only inside a session. Without them, or the right to, it does nothing."""
    try:
        with open(f"/proc/{pid}/autogroup", "w", encoding="ascii") as file:
            file.write(str(os.getpriority(os.PRIO_PROCESS, 0)))
    except OSError:
        pass
