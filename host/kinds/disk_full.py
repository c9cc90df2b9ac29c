"""DISK_FULL: little space is left on the volume of the store's data."""
import os

import volume
from parameters import Refused

RESOURCE = "disk-space"
PARAMETERS = {
    "dataDirectory": volume.DIRECTORY,
    "fillPct": r"0|[1-9][0-9]?|100",
    "fillBytes": r"0|[1-9][0-9]{0,13}",
    "reserveBytes": r"0|[1-9][0-9]{0,13}",
    "allowRootVolume": r"yes|no",
}


def check(values):
    if (values["fillPct"] == "0") == (values["fillBytes"] == "0"):
        raise Refused("fillPct, fillBytes: exactly one of them must not be 0")


def prepare(values, state):
    directory, percent, reserve = values["dataDirectory"], int(values["fillPct"]), int(values["reserveBytes"])
    problem = volume.problem(directory)
    if problem:
        raise Refused(problem)
    if values["allowRootVolume"] != "yes" and is_on_root(directory):
        raise Refused(f"dataDirectory: {directory} is on the root volume; allowRootVolume must be yes for that")
    state["facts"]["device"] = os.stat(directory).st_dev
    free = volume.free_bytes(directory)
    if free <= reserve:
        raise Refused(f"reserveBytes: {free} bytes are free on the volume of {directory}, no more than the reserve of {reserve}")
    if percent and volume.bytes_up_to(directory, percent) <= 0:
        raise Refused(f"fillPct: {percent} % of the volume of {directory} are in use already")
    return [f"close the unlinked file on the volume of {directory}: nothing has to be written for that"]


def is_on_root(directory):
    """Is it the root volume, or does it share its space? Subvolumes and data sets look like volumes of their own."""
    return bool(space_of(directory) & space_of("/"))


def space_of(path):
    """What names the space below the mount of `path`: device number and source; of ZFS the pool."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with open(f"/proc/self/fdinfo/{descriptor}", encoding="ascii") as file:
            mount = dict(line.split(":", 1) for line in file)["mnt_id"].strip()
    finally:
        os.close(descriptor)
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            fields, _, source = line.partition(" - ")
            number, _, device, *_ = fields.split(" ")
            if number == mount:
                kind, name, *_ = source.split(" ")
                return {device, name.split("/")[0] if kind == "zfs" else name}
    raise OSError(f"the mount of {path} is not known")


def workers(_values):
    return 1


def environment(state):
    values = state["values"]
    return {
        "HOLDFAST_DIRECTORY": values["dataDirectory"], "HOLDFAST_DEVICE": str(state["facts"].get("device")),
        "HOLDFAST_BYTES": values["fillBytes"],
        "HOLDFAST_PERCENT": values["fillPct"], "HOLDFAST_RESERVE_BYTES": values["reserveBytes"],
    }
