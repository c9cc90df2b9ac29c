"""PROCESS_PAUSE: the store's process stands still, until the end, once for a while, or again and again."""
import processes
import store_process
from parameters import Refused

RESOURCE = "process"
PARAMETERS = {"pauseSeconds": r"0|[1-9][0-9]{0,2}", "repeatEverySeconds": r"0|[1-9][0-9]{0,2}"}
RANGES = {"pauseSeconds": (0, 600), "repeatEverySeconds": (0, 600)}


def check(values):
    pause, every = int(values["pauseSeconds"]), int(values["repeatEverySeconds"])
    if every and not 0 < pause < every:
        raise Refused("repeatEverySeconds: must be 0, or more than pauseSeconds, which must not be 0 then")


def prepare(values, state):
    pid, start_time = state["process"] = store_process.require(values)
    if (processes.stat(pid) or " ")[0] in "Tt":
        raise Refused(f"process {pid} of {values['unit']} is stopped already")
    return [f"continue process {pid} with start time {start_time}"]


def workers(values):
    return 1 if int(values["pauseSeconds"]) else 0


def environment(state):
    values = state["values"]
    return {
        **store_process.environment(state),
        "HOLDFAST_PAUSE_SECONDS": values["pauseSeconds"], "HOLDFAST_EVERY_SECONDS": values["repeatEverySeconds"],
    }
