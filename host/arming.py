"""Everything that can be known before anything is changed: tools, addresses, the process. Any doubt is a refusal."""
import os
import shutil
import subprocess

import addresses
import kinds
import packet_filter
import parameters
import store_port
from fences import redis
from parameters import Refused

TOOLS = ("bash", "awk", "sha256sum", "ip")


def kind_of_program(directory):
    """A document carries the script of its own kind alone, so no parameter can make it another fault."""
    found = kinds.carried(directory)
    if len(found) != 1:
        raise Refused(f"the program must carry exactly one fault script to inject, it has: {found}")
    if not os.path.exists(f"{directory}/kinds/{found[0].replace('-', '_')}.py"):
        raise Refused(f"the program has no module for the fault script {found[0]}")
    return found[0]


def prepare(kind, values):
    """The record of the fault, with its undo, before anything was done. Raises Refused."""
    from lease_table import Metadata, endpoint  # TLS: the leash, which has this module too, must stay small

    module, fenced = kinds.load(kind), values["fence"] != "none"
    check_tools({*TOOLS, *getattr(module, "TOOLS", ()), *(packet_filter.TOOLS if fenced else ())})
    lease_table = parameters.lease_table()
    try:
        metadata = Metadata(2)
        instance_id = metadata.read("instance-id").strip()
        region = os.environ.get("AWS_REGION") or metadata.read("placement/region").strip()
        lease_endpoint = endpoint(region)
    except (OSError, ValueError) as error:
        raise Refused(f"instance metadata or AWS_ENDPOINT_URL: {error}") from None
    exempt = {*parameters.addresses("exemptAddresses", values["exemptAddresses"]), *addresses.leash(region, lease_endpoint)}
    peers = parameters.addresses("peerAddresses", values.get("peerAddresses", ""))
    addresses.refuse_leash(peers, exempt)
    state = {
        "faultId": values["faultId"],
        "instanceId": instance_id,
        "region": region,
        "leaseTable": lease_table,
        "kind": kind,
        "resource": module.RESOURCE,
        "state": "ARMING",
        "values": values,
        "grant": f"{instance_id} {parameters.digest(values)}",
        "exempt": sorted(exempt),
        "peers": peers,
        "shard": sorted(set(peers) | {address for address, _ in parameters.sentinels(values)}),
        "families": packet_filter.families(),
        "facts": {},
        "fence": {"outcome": "NONE"},
        "undo": [],
        "leftovers": [],
    }
    if fenced:
        prepare_fence(values, state)
    state["undo"] += module.prepare(values, state)
    try:
        kinds.call(kind, "observe", state)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise Refused(f"what the fault changes cannot be read on this host: {error}") from None
    return state


def prepare_fence(values, state):
    if "4" not in state["families"]:
        raise Refused("iptables-save does not work on this host, which the fence needs")
    addresses.require_families(state["families"], addresses.reachable_v6(addresses.own()))
    store_port.require_here(values, "fence=redis")
    try:
        redis.read_credentials(values["fenceCredentialsFile"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refused(f"fenceCredentialsFile: {type(error).__name__}: {error}") from None
    port = values["storePorts"].split(",")[0]
    state["undo"].append(f"keep clients from port {port} until the store has found its master")


def check_tools(tools):
    missing = sorted(tool for tool in tools if not shutil.which(tool))
    if missing:
        raise Refused(f"tools missing on this host: {', '.join(missing)}")
    if "iptables-save" in tools and not packet_filter.usable("iptables-save"):
        raise Refused("iptables-save does not work on this host")
