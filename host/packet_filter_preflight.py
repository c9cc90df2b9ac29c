"""The part of the preflight that looks at the packet filter: for faults that use it, and for those with a fence."""

from __future__ import annotations

import engines
from linux import addresses, command, engine_process, netfilter, packet_loss, trial
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
    problem = trial.in_own_network(lambda: packet_loss.trial(record))
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
    record.engine_facts = engine.prepare(record)
    record.undo.append(f"keep clients from port {record.node_port} until the role of the node is certain")
