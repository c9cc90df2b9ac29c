"""CPU_SPIKE: processors of the host are busy."""
import os

import cgroup
from parameters import Refused

RESOURCE = "cpu"
PARAMETERS = {"cores": r"[1-9][0-9]{0,2}", "loadPct": r"[1-9][0-9]?|100"}
RANGES = {"cores": (1, 512), "loadPct": (1, 100)}


def prepare(values, state):
    online = len(os.sched_getaffinity(0))
    if int(values["cores"]) > online:
        raise Refused(f"cores: must be 1 to {online}, so many has this host")
    group = state["facts"]["cgroup"] = cgroup.find(state, "cpu")
    return [f"end the load and remove the control group {group['directory']}"]


def workers(values):
    return int(values["cores"])


def environment(state):
    values = state["values"]
    return {
        **cgroup.environment(state["facts"]["cgroup"]),
        "HOLDFAST_CORES": values["cores"], "HOLDFAST_LOAD_PCT": values["loadPct"],
    }


def bare(_fault_id):
    return {}
