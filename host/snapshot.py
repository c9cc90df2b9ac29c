"""What the host looks like, as lines: taken before and after a fault, the difference is the proof that it is
reverted."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import faults
import log
from linux import cgroup, command, processes, worker_processes
from linux.processes import ProcessId
from record import FaultRecord, Snapshot

#: The proof has to fit into the answer of a command (24,000 characters).
MAX_LINES = 50
SAVE = {"4": "iptables-save", "6": "ip6tables-save"}
TOUCHED = "what the fault changes"


class Difference(NamedTuple):
    #: What carries our mark or stands still by us, what the kind of the fault finds different, and what could not be
    #: read.
    leftovers: list[str]
    #: All other lines that appeared (+) or went (-): someone else's, shown as evidence.
    changes: list[str]


def take(record: FaultRecord) -> Snapshot:
    """Of this host (this network namespace): packet filter, qdiscs, stopped processes, the data volume, what the kind
    touches, and which of all that could not be read: what was not seen is not proven to be clean."""
    lines: set[str] = set()
    unread: list[str] = []
    touched: list[str] = []
    for name in SAVE.values():
        text = command.output([name])
        if text is None:
            unread.append(name)
        else:
            lines |= {f"{name} {line}" for line in rules(text)}
    # Byte counts and the like are not in `show` without -s, so lines are comparable.
    text = command.output(["tc", "qdisc", "show"])
    if text is None:
        unread.append("tc")
    else:
        lines |= {f"tc {line.strip()}" for line in text.splitlines() if line.strip()}
    lines |= {stopped_line(process) for process in stopped()}
    lines |= set(disk_use(record.values.get("dataDirectory")))
    try:
        touched = faults.load(record.kind).touched(record)
    except Exception as error:  # whatever a kind could not look at
        unread.append(TOUCHED)
        log.say(f"{TOUCHED}: {type(error).__name__}: {error}")
    return Snapshot(sorted(lines), sorted(touched), unread)


def as_json(found: Snapshot) -> dict[str, list[str]]:
    return {"lines": found.lines, "touched": found.touched, "unread": found.unread}


def taken(data: dict[str, Any]) -> Snapshot:
    return Snapshot(data["lines"], data["touched"], data["unread"])


def disk_use(directory: str | None) -> Iterator[str]:
    """Evidence alone: the store writes there as well."""
    try:
        volume = os.statvfs(directory) if directory else None
    except OSError:
        return
    if volume:
        yield f"disk {directory} {volume.f_bavail * volume.f_frsize >> 20} MiB free"


def remains(record: FaultRecord) -> list[str]:
    """What carries the mark of the fault beside its rules: living workers, control groups."""
    workers = worker_processes.find(record.fault_id)
    return [*(f"worker {pid} (start time {start_time})" for pid, start_time in workers), *cgroup.of_fault(record)]


def rules(text: str) -> list[str]:
    """Rules and chains with their table; a table with built-in chains that accept all is the same as no table."""
    table = ""
    found: list[str] = []
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith(":"):
            chain, policy = line[1:].split()[:2]
            if policy != "ACCEPT":
                found.append(f"{table} :{chain} {policy}")
        elif line.startswith("-"):
            found.append(f"{table} {line}")
    return found


def stopped() -> Iterator[ProcessId]:
    own = os.readlink("/proc/self/ns/net")
    for pid in processes.pids():
        try:
            if os.readlink(f"/proc/{pid}/ns/net") == own:
                found = processes.stat(pid)
                if found and found.state == "T":
                    yield ProcessId(pid, found.start_time)
        except OSError:
            continue


def stopped_line(process: ProcessId) -> str:
    return f"stopped process {process.pid} (start time {process.start_time})"


def compare(before: Snapshot, after: Snapshot, record: FaultRecord) -> Difference:
    """What could not be read is left over where we wrote (`families`, TOUCHED) or where it could be read before."""
    mark = re.compile(rf"holdfast:{re.escape(record.fault_id)}(?![\w.-])|\bhf[fq]?-{record.digest}-[iofp]\b")
    held = stopped_line(record.process) if record.process else None
    written = {TOUCHED, *(SAVE[family] for family in record.families)}
    unseen = {*before.unread, *after.unread}
    blind = [name for name in after.unread if name in written or name not in before.unread]
    blind += [TOUCHED] if TOUCHED in unseen and TOUCHED not in blind else []
    leftovers = [f"{name} could not be read" for name in blind]
    leftovers += [line for line in after.lines if mark.search(line) or line == held]
    if TOUCHED not in unseen:
        leftovers += different(before.touched, after.touched)
    changes = different(before.lines, after.lines)
    theirs = sorted(line for line in changes if line[2:] not in leftovers and line.split()[1] not in unseen)
    return Difference(capped(leftovers), capped(theirs))


def different(before: list[str], after: list[str]) -> list[str]:
    added, gone = set(after) - set(before), set(before) - set(after)
    return [*(f"+ {line}" for line in sorted(added)), *(f"- {line}" for line in sorted(gone))]


def capped(lines: list[str]) -> list[str]:
    more = len(lines) - MAX_LINES
    return lines if more <= 0 else [*lines[:MAX_LINES], f"and {more} more"]
