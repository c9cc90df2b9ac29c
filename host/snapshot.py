"""What the host looks like, as lines: taken before and after a fault, the difference is the proof of a clean way back."""
import os
import subprocess

import processes


def take(own_pids=()):
    """Sorted lines of packet filter, qdiscs and stopped processes of this host (this network namespace)."""
    lines = set()
    for command in ("iptables-save", "ip6tables-save"):
        lines |= {f"{command} {line}" for line in rules(output([command]))}
    # Byte counts and the like are not in `show` without -s, so lines are comparable.
    lines |= {f"tc {line.strip()}" for line in output(["tc", "qdisc", "show"]).splitlines() if line.strip()}
    lines |= {f"stopped process {pid}" for pid in stopped() if pid not in own_pids}
    return sorted(lines)


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
                    yield int(name)
        except OSError:
            continue


def output(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def difference(before, after):
    """Lines that appeared (+) or went (-)."""
    added, gone = set(after) - set(before), set(before) - set(after)
    return sorted([f"+ {line}" for line in added] + [f"- {line}" for line in gone])
