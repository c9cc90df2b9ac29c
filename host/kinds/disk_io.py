"""DISK_IO: the volume of the store's data is busy."""
import os

import cgroup
import volume
from parameters import Refused
from store import Store, is_active

RESOURCE = "disk-io"
PARAMETERS = {"dataDirectory": volume.DIRECTORY, "workers": r"[1-9][0-9]?", "bytesPerSecond": r"[1-9][0-9]{0,9}"}
RANGES = {"workers": (1, 16), "bytesPerSecond": (1 << 20, 4 << 30)}
# Of each worker. All together never take more than a quarter of what is free.
SMALLEST_FILE_BYTES, LARGEST_FILE_BYTES, SHARE = 4 << 20, 64 << 20, 4


def prepare(values, state):
    directory, workers, facts = values["dataDirectory"], int(values["workers"]), state["facts"]
    problem = volume.problem(directory)
    if problem:
        raise Refused(problem)
    facts["device"] = os.stat(directory).st_dev
    # What a filling leaves free is not to be had.
    free = max(0, volume.free_bytes(directory) - kept_bytes(state))
    facts["fileBytes"] = min(LARGEST_FILE_BYTES, free // SHARE // workers) >> 20 << 20
    if facts["fileBytes"] < SMALLEST_FILE_BYTES:
        needed = workers * SHARE * SMALLEST_FILE_BYTES
        raise Refused(f"workers: {workers} need {needed} bytes to be had on the volume of {directory}, there are {free}")
    undo = f"end the load; its {workers} unlinked files are free at once"
    try:
        facts["disk"] = volume.disk_of(directory)
        facts["cgroup"] = cgroup.find(state, "io", "blkio") if facts["disk"] else None
    except Refused:
        facts["cgroup"] = None
    if facts["cgroup"]:
        return [f"{undo}, and so is the control group {facts['cgroup']['directory']}"]
    # The load paces itself in any case.
    facts["throttle"] = f"by the load alone: no control group can throttle the volume of {directory}"
    return [undo]


def workers(values):
    return int(values["workers"])


def kept_bytes(state):
    """What a fault that fills the same volume has promised to leave free."""
    device, kept = state["facts"]["device"], 0
    for other in Store(state["faultId"]).others():
        if other.get("resource") == "disk-space" and is_active(other) and other["facts"].get("device") == device:
            kept += int(other["values"]["reserveBytes"])
    return kept


def environment(state):
    values, facts = state["values"], state["facts"]
    # Asked again under the host's lock: a filling may have begun since.
    kept = kept_bytes(state) if state["state"] == "APPLYING" else 0
    return {
        **cgroup.environment(facts["cgroup"]),
        "HOLDFAST_DIRECTORY": values["dataDirectory"], "HOLDFAST_DEVICE": str(facts.get("device")),
        "HOLDFAST_KEPT_BYTES": str(kept), "HOLDFAST_WORKERS": values["workers"],
        "HOLDFAST_BYTES_PER_SECOND": values["bytesPerSecond"], "HOLDFAST_FILE_BYTES": str(facts["fileBytes"]),
        "HOLDFAST_DISK": facts["disk"] or "",
    }


def bare(_fault_id):
    return {}
