"""NETWORK_PARTITION: the host and its peers no longer hear each other."""
import addresses
import store_port
from parameters import ADDRESS_LIST, Refused

RESOURCE = "packet-filter"
TOOLS = ("iptables", "iptables-save", "iptables-restore")
PARAMETERS = {
    "peerAddresses": ADDRESS_LIST,
    "scope": r"isolate|peers",
    "direction": r"both|in|out",
    "packetLossPct": r"[1-9][0-9]?|100",
    # One rule of netfilter's multiport holds 15.
    "ports": r"(?:[1-9][0-9]{0,4}(?:,[1-9][0-9]{0,4}){0,14})?",
}
RANGES = {"packetLossPct": (1, 100)}
REAPPEARS = True


def check(values):
    if any(int(port) > 65535 for port in filter(None, values["ports"].split(","))):
        raise Refused("ports: a port is 1 to 65535")
    if values["scope"] == "isolate" and not client_ports(values):
        raise Refused("ports: scope=isolate keeps clients from the store, so one of storePorts has to be among them; or use scope=peers")


def client_ports(values):
    """The store's ports that clients are kept from."""
    wanted = values["ports"].split(",")
    ports = [port for port in values["storePorts"].split(",") if wanted == [""] or port in wanted]
    return ",".join(ports) if values["scope"] == "isolate" else ""


def prepare(values, state):
    addresses.require_families(state["families"], state["peers"])
    if values["scope"] == "isolate":
        addresses.require_families(state["families"], addresses.reachable_v6(addresses.own()))
        store_port.require_here(values, "scope=isolate (scope=peers is possible)")
    return [f"remove the chains that carry the comment holdfast:{values['faultId']}"]


def environment(state):
    values = state["values"]
    return {
        "HOLDFAST_CLIENT_PORTS": client_ports(values), "HOLDFAST_DIRECTION": values["direction"],
        "HOLDFAST_LOSS": values["packetLossPct"], "HOLDFAST_PORTS": values["ports"],
    }


def bare(_fault_id):
    return {}
