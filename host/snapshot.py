"""What the host looks like, as lines: taken before and after a fault, the difference is the proof of a clean way back."""
import hashlib
import os
import re
import subprocess

import processes

# The proof has to fit into the answer of a command (24,000 characters).
MAX_LINES = 50
SAVE = {"4": "iptables-save", "6": "ip6tables-save"}


def take():
    """Lines of packet filter, qdiscs and stopped processes of this host (this network namespace), and which of the
    commands could not be read: what was not seen is not proven to be clean."""
    lines, unread = set(), []
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
    return {"lines": sorted(lines), "unread": unread}


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
    """(leftovers, changes). Leftovers are what carries our mark or stands still by our hand, and what could not be
    read although we wrote there (`families`, "4" and "6") or it could be read before. Changes are all other lines that appeared (+) or went (-): someone else's, shown as evidence."""
    digest = hashlib.sha256(fault_id.encode()).hexdigest()[:12]
    mark = re.compile(rf"holdfast:{re.escape(fault_id)}(?![\w.-])|\bhff?-{digest}-[io]\b")
    held = stopped_line(*process) if process else None
    written = {SAVE[family] for family in families}
    blind = [name for name in after["unread"] if name in written or name not in before["unread"]]
    leftovers = [f"{name} could not be read" for name in blind]
    leftovers += [line for line in after["lines"] if mark.search(line) or line == held]
    unseen = {*before["unread"], *after["unread"]}
    added, gone = set(after["lines"]) - set(before["lines"]), set(before["lines"]) - set(after["lines"])
    changes = [f"+ {line}" for line in added - set(leftovers)] + [f"- {line}" for line in gone]
    return capped(leftovers), capped(sorted(line for line in changes if line.split()[1] not in unseen))


def capped(lines):
    more = len(lines) - MAX_LINES
    return lines if more <= 0 else [*lines[:MAX_LINES], f"and {more} more"]
