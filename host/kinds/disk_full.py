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
    if os.stat(directory).st_dev == os.stat("/").st_dev and values["allowRootVolume"] != "yes":
        raise Refused(f"dataDirectory: {directory} is on the root volume; allowRootVolume must be yes for that")
    free = volume.free_bytes(directory)
    if free <= reserve:
        raise Refused(f"reserveBytes: {free} bytes are free on the volume of {directory}, no more than the reserve of {reserve}")
    if percent and volume.bytes_up_to(directory, percent) <= 0:
        raise Refused(f"fillPct: {percent} % of the volume of {directory} are in use already")
    return [f"close the unlinked file on the volume of {directory}: nothing has to be written for that"]


def environment(state):
    values = state["values"]
    return {
        "HOLDFAST_DIRECTORY": values["dataDirectory"], "HOLDFAST_BYTES": values["fillBytes"],
        "HOLDFAST_PERCENT": values["fillPct"], "HOLDFAST_RESERVE_BYTES": values["reserveBytes"],
    }
