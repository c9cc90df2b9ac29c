"""NETWORK_LATENCY: packets to the peers leave later."""
import queueing
from parameters import ADDRESS_LIST, Refused

RESOURCE = "queueing"
TOOLS = ("tc", "unshare")
PARAMETERS = {
    "peerAddresses": ADDRESS_LIST,
    "latencyMs": r"[1-9][0-9]{0,4}",
    "jitterMs": r"0|[1-9][0-9]{0,4}",
    "correlationPct": r"0|[1-9][0-9]?|100",
}
RANGES = {"latencyMs": (1, 10000)}
REAPPEARS = True
observe = queueing.observe


def check(values):
    if int(values["jitterMs"]) > int(values["latencyMs"]):
        raise Refused("jitterMs: must be 0 to latencyMs")
    if values["jitterMs"] == "0" != values["correlationPct"]:
        raise Refused("correlationPct: must be 0 without jitterMs, there is nothing to correlate")


def prepare(_values, state):
    problem = queueing.netem_problem(state)
    if problem:
        raise Refused(f"NETWORK_LATENCY needs netem: {problem}")
    state["facts"]["interfaces"] = queueing.interfaces(state["peers"])
    return [f"delete our queueing discipline on {', '.join(state['facts']['interfaces'])}"]


def environment(state):
    values = state["values"]
    return {
        "HOLDFAST_CORRELATION": values["correlationPct"], "HOLDFAST_INTERFACES": ",".join(state["facts"]["interfaces"]),
        "HOLDFAST_JITTER_MS": values["jitterMs"], "HOLDFAST_LATENCY_MS": values["latencyMs"],
    }


def bare(_fault_id):
    return {}
