"""MEMORY_PRESSURE: little memory is left on the host."""
import cgroup
from parameters import Refused

RESOURCE = "memory"
PARAMETERS = {
    "memoryBytes": r"0|[1-9][0-9]{0,13}",
    "memoryPct": r"0|[1-9][0-9]?",
    "reserveBytes": r"[1-9][0-9]{0,13}",
}
RANGES = {"memoryPct": (0, 95), "reserveBytes": (64 << 20, 10**14)}
# Files that say how much a host may have that is itself a container.
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def check(values):
    if (values["memoryBytes"] == "0") == (values["memoryPct"] == "0"):
        raise Refused("memoryBytes, memoryPct: exactly one of them must not be 0")


def prepare(values, state):
    facts, memory, reserve = state["facts"], read_memory(), int(values["reserveBytes"])
    total = min([memory["MemTotal"], *limits()])
    facts["memoryBytes"] = int(values["memoryBytes"]) or total * int(values["memoryPct"]) // 100
    if memory["MemAvailable"] <= reserve:
        raise Refused(
            f"reserveBytes: {memory['MemAvailable']} bytes of memory are available on this host, so none can be taken"
            f" while {reserve} are kept in reserve"
        )
    facts["cgroup"] = cgroup.find(state, "memory")
    return [f"give up to {facts['memoryBytes']} bytes back and remove the control group {facts['cgroup']['directory']}"]


def read_memory():
    """Bytes by the names of /proc/meminfo."""
    with open("/proc/meminfo", encoding="ascii") as file:
        rows = [line.split() for line in file]
    return {row[0].rstrip(":"): int(row[1]) << 10 for row in rows}


def limits():
    for path in LIMITS:
        try:
            with open(path, encoding="ascii") as file:
                text = file.read().strip()
        except OSError:
            continue
        if text.isdigit():
            yield int(text)


def workers(_values):
    return 1


def environment(state):
    facts = state["facts"]
    return {
        **cgroup.environment(facts["cgroup"]),
        "HOLDFAST_BYTES": str(facts["memoryBytes"]), "HOLDFAST_RESERVE_BYTES": state["values"]["reserveBytes"],
    }


def bare(_fault_id):
    return {}
