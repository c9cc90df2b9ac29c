"""Processes by number and start time, or by the port they own; never by name: Sentinel and Redis share a binary.

As a program: `processes.py signal STOP|CONT|KILL|TERM PID START_TIME`, `processes.py state PID START_TIME` and
`processes.py gone SECONDS PID START_TIME`, which waits at most so long and fails when the process still runs.
"""
import glob
import os
import select
import signal
import sys


def stat(pid):
    """(state letter, start time in clock ticks since boot) or None. The name in parentheses may hold anything."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        return fields[0], fields[19]
    except (OSError, IndexError):
        return None


def is_same(pid, start_time):
    """True while the process that was recorded lives (a zombie does not)."""
    found = stat(pid)
    return found is not None and found[1] == str(start_time) and found[0] not in "ZX"


def send(pid, start_time, number):
    """Signal exactly the recorded process: the start time is checked after the pidfd pins the pid. False if it is gone."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        if not is_same(pid, start_time):
            return False
        signal.pidfd_send_signal(descriptor, number)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)


def listening_inodes(port):
    """Socket inodes that listen on the TCP port in this network namespace."""
    inodes = set()
    for path in ("/proc/self/net/tcp", "/proc/self/net/tcp6"):
        try:
            with open(path, encoding="ascii") as file:
                rows = [line.split() for line in file][1:]
        except OSError:
            continue
        inodes |= {row[9] for row in rows if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port}
    return inodes


def owner_of_port(port):
    wanted = {f"socket:[{inode}]" for inode in listening_inodes(port)}
    owners = set()
    for link in glob.iglob("/proc/[0-9]*/fd/*") if wanted else ():
        try:
            if os.readlink(link) in wanted:
                owners.add(int(link.split("/")[2]))
        except OSError:
            continue
    # A pre-forking store shares its socket with its children; the oldest one is the store.
    return min(owners, key=lambda pid: int((stat(pid) or ("", "0"))[1]), default=None)


def wait_gone(pid, start_time, seconds):
    if not is_same(pid, start_time):
        return True
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def main(arguments):
    verb, rest = arguments[0], arguments[1:]
    if verb == "state":
        found = stat(int(rest[0]))
        print(found[0] if found and found[1] == rest[1] else "gone")
        return 0
    name, pid, start_time = rest[0], int(rest[1]), rest[2]
    if verb == "gone":
        return 0 if wait_gone(pid, start_time, float(name)) else 1
    if not send(pid, start_time, signal.Signals["SIG" + name]):
        print(f"process {pid} (start time {start_time}) is gone", file=sys.stderr)
        return 1
    if name in ("KILL", "TERM") and not wait_gone(pid, start_time, 4):
        print(f"process {pid} still runs 4 s after SIG{name}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
