"""The part of the preflight that looks at the packet filter: for faults that use it, and for those with a fence."""

from __future__ import annotations

import engines
from linux import addresses, command, engine_process, ip_set, netfilter, trial
from record import FaultRecord
from refused import Refused


def prepare(record: FaultRecord) -> None:
    """Raises Refused."""
    missing = sorted(tool for tool in netfilter.TOOLS if not command.exists(tool))
    if missing:
        raise Refused(f"tools missing on this host: {', '.join(missing)} (package iptables)")
    if not netfilter.usable("iptables-save"):
        raise Refused("iptables-save does not work on this host")
    record.families, record.shard = netfilter.families(), list(record.peers)
    if "4" not in record.families:
        raise Refused("iptables-restore does not work on this host")
    # Can packets be matched through IP sets here, whose elements end by themselves?
    problem = trial.in_own_network(lambda: try_sets(record))
    record.ends_in_kernel = problem is None
    if problem:
        record.facts["noIpSets"] = problem
    if record.is_fenced:
        prepare_fence(record)


def prepare_fence(record: FaultRecord) -> None:
    addresses.require_families(record.families, addresses.reachable_v6(addresses.own()))
    engine_process.require_own_port(record, f"fence={record.values['fence']}")
    engine = engines.load(record.engine)
    record.shard = sorted({*record.peers, *(address for address, _ in engine.asked(record.values))})
    engine.prepare(record)
    record.undo.append(f"keep clients from port {record.node_port} until the role of the node is certain")


def try_sets(record: FaultRecord) -> None:
    """Raises OSError when this kernel or its tools cannot match through IP sets."""
    name = "hf-trial"
    ip_set.create_addresses(name, "4", 1)
    ip_set.put_addresses(name, ["192.0.2.1"], 1)
    ip_set.create_ports(f"{name}-i", [1, 2], 1)
    for family in record.families:
        matches = f"-p tcp -m set --match-set {name}-i dst -m set ! --match-set {name}-i dst"
        netfilter.restore(family, [f"-A INPUT {matches} -j DROP"])
    netfilter.restore("4", [f"-A INPUT -m set --match-set {name} src -j DROP"])
