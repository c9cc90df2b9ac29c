"""NETWORK_LOSS: a share of the packets to the peers is lost, by netem or, on a kernel without it, by netfilter."""
import addresses
import queueing
from parameters import ADDRESS_LIST, Refused

RESOURCE = "queueing"
TOOLS = ("tc", "unshare", "iptables", "iptables-save", "iptables-restore")
PARAMETERS = {
    "peerAddresses": ADDRESS_LIST,
    "packetLossPct": r"[1-9][0-9]?|100",
    "correlationPct": r"0|[1-9][0-9]?|100",
}
RANGES = {"packetLossPct": (1, 100)}
REAPPEARS = True
observe = queueing.observe


def prepare(values, state):
    problem = queueing.netem_problem(state)
    if not problem:
        state["facts"].update(mechanism="netem", interfaces=queueing.interfaces(state["peers"]))
        return [f"delete our queueing discipline on {', '.join(state['facts']['interfaces'])}"]
    if values["correlationPct"] != "0":
        raise Refused(f"correlationPct: must be 0 where packets are lost through netfilter: {problem}")
    addresses.require_families(state["families"], state["peers"])
    state["facts"]["mechanism"] = "netfilter"
    return [f"remove the chains that carry the comment holdfast:{values['faultId']}"]


def environment(state):
    values, facts = state["values"], state["facts"]
    return {
        "HOLDFAST_CORRELATION": values["correlationPct"], "HOLDFAST_INTERFACES": ",".join(facts.get("interfaces", [])),
        "HOLDFAST_LOSS": values["packetLossPct"], "HOLDFAST_MECHANISM": facts["mechanism"],
    }


def bare(_fault_id):
    return {}
