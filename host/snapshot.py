"""What the host looks like, as lines: taken before and after a fault, the difference is the proof of a clean way back."""
import glob
import os
import re
import subprocess

import kinds
import parameters
import processes
import workers
from store import log

# The proof has to fit into the answer of a command (24,000 characters).
MAX_LINES = 50
SAVE = {"4": "iptables-save", "6": "ip6tables-save"}
OWN = "what the fault changes"


def take(state):
    """Lines of packet filter, qdiscs, stopped processes and the data volume of this host (this network namespace), what
    the kind of the fault sees of the things that it changes (`own`), and which of all that could not be read: what was
    not seen is not proven to be clean."""
    lines, unread, own = set(), [], []
    for command in SAVE.values():
        text = output([command])
        if text is None:
            unread.append(command)
        else:
            lines |= {f"{command} {line}" for line in rules(text)}
    # Byte counts and the like are not in `show` without -s, so lines are comparable.
    text = output(["tc", "qdisc", "show"])
    if text is None:
        unread.append("tc")
    else:
        lines |= {f"tc {line.strip()}" for line in text.splitlines() if line.strip()}
    lines |= {stopped_line(pid, start_time) for pid, start_time in stopped()}
    lines |= set(disk_use(state["values"].get("dataDirectory")))
    try:
        own = kinds.call(state["kind"], "observe", state) or []
    except Exception as error:  # whatever a kind could not look at
        unread.append(OWN)
        log(f"{OWN}: {type(error).__name__}: {error}")
    return {"lines": sorted(lines), "own": sorted(own), "unread": unread}


def disk_use(directory):
    """Evidence alone: the store writes there as well."""
    try:
        volume = os.statvfs(directory) if directory else None
    except OSError:
        return
    if volume:
        yield f"disk {directory} {volume.f_bavail * volume.f_frsize >> 20} MiB free"


def remains(state):
    """What carries the mark of the fault beside its rules: living workers, control groups."""
    yield from (f"worker {pid} (start time {start_time})" for pid, start_time in workers.find(state["faultId"]))
    name = cgroup_name(state)
    yield from sorted(glob.glob(f"/sys/fs/cgroup/*/{name}") + glob.glob(f"/sys/fs/cgroup/system.slice/{name}.scope"))


def cgroup_name(state):
    """As in cgroup.sh. Hosts that share a kernel share its control groups, hence the instance."""
    return f"holdfast-{parameters.sha256_hex(state['instanceId'] + state['faultId'])[:12]}"


def rules(text):
    """Rules and chains with their table; a table with built-in chains that accept all is the same as no table."""
    table, found = "", []
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


def stopped():
    own = os.readlink("/proc/self/ns/net")
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and os.readlink(f"/proc/{name}/ns/net") == own:
                found = processes.stat(name)
                if found and found[0] == "T":
                    yield int(name), found[1]
        except OSError:
            continue


def stopped_line(pid, start_time):
    return f"stopped process {pid} (start time {start_time})"


def output(command):
    """stdout, or None when the command failed."""
    try:
        shown = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return shown.stdout if shown.returncode == 0 else None


def compare(before, after, fault_id, families, process=None):
    """(leftovers, changes). Leftovers are what carries our mark or stands still by our hand, what the kind of the fault
    finds different, and what could not be read although we wrote there (`families`, "4" and "6"; OWN) or it could be
    read before. Changes are all other lines that appeared (+) or went (-): someone else's, shown as evidence."""
    digest = parameters.sha256_hex(fault_id)[:12]
    mark = re.compile(rf"holdfast:{re.escape(fault_id)}(?![\w.-])|\bhff?-{digest}-[iof]\b")
    held = stopped_line(*process) if process else None
    written = {OWN, *(SAVE[family] for family in families)}
    unseen = {*before["unread"], *after["unread"]}
    blind = [name for name in after["unread"] if name in written or name not in before["unread"]]
    blind += [OWN] if OWN in unseen and OWN not in blind else []
    leftovers = [f"{name} could not be read" for name in blind]
    leftovers += [line for line in after["lines"] if mark.search(line) or line == held]
    if OWN not in unseen:
        leftovers += different(before["own"], after["own"])
    changes = different(before["lines"], after["lines"])
    theirs = sorted(line for line in changes if line[2:] not in leftovers and line.split()[1] not in unseen)
    return capped(leftovers), capped(theirs)


def different(before, after):
    added, gone = set(after) - set(before), set(before) - set(after)
    return [*(f"+ {line}" for line in sorted(added)), *(f"- {line}" for line in sorted(gone))]


def capped(lines):
    more = len(lines) - MAX_LINES
    return lines if more <= 0 else [*lines[:MAX_LINES], f"and {more} more"]
