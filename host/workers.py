"""Processes that carry a fault while it lives: load, a file that fills a disk, pauses that come and go. They outlive the
script that starts them (worker.sh), so they carry a mark of their own; their death ends what they do."""
import contextlib
import os
import signal
import time

import processes
from lease import now

END_SECONDS = 2.0


def find(fault_id):
    """[(pid, start time)] of the fault's workers that live on this host."""
    wanted, found = f"HOLDFAST_WORKER={fault_id}".encode(), []
    for name in filter(str.isdigit, os.listdir("/proc")):
        started = processes.stat(name)
        # One that has given up its memory, or is given up by its parent, can do nothing any more.
        if started and is_marked(name, wanted):
            found.append((int(name), started[1]))
    return found


def is_marked(pid, wanted):
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            marked = wanted in file.read().split(b"\0")
        # Hosts that share their processes (containers) have networks of their own.
        return marked and os.readlink(f"/proc/{pid}/ns/net") == os.readlink("/proc/self/ns/net")
    except OSError:
        return False


def end(fault_id):
    """SIGKILL until none is left: one that shows no mark any more may still hold its file. Raises OSError when one stays."""
    until, seen = now() + END_SECONDS, set()
    while True:
        seen |= set(find(fault_id))
        left = [worker for worker in seen if processes.is_same(*worker)]
        if not left:
            return
        if now() > until:
            raise OSError(f"workers {', '.join(str(pid) for pid, _ in left)} do not end")
        for worker in left:
            with contextlib.suppress(OSError):
                processes.send(*worker, signal.SIGKILL)
        time.sleep(0.005)
