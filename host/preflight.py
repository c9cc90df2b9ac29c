"""Everything that can be known before anything is changed: tools, addresses, the process. Any doubt is a refusal."""

from __future__ import annotations

import os

import engines
import faults
import parameters
import specification
from lease_table import Metadata, endpoint
from linux import addresses, command, engine_process, netfilter, packet_loss, trial
from record import FaultRecord, State
from refused import Refused

TOOLS = ("ip",)
#: Which package has a command, where its name does not say so.
PACKAGES = {"ip": "iproute2 (iproute)", "tc": "iproute2 (iproute-tc)", "systemctl": "systemd"}
#: What the pair needs of the command's environment; none of it is secret.
ENVIRONMENT = (
    "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_CA_BUNDLE", "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "HOLDFAST_TRACE",
)  # fmt: skip


def kind_of_program() -> str:
    """A document carries its own kind alone, so no parameter can make it another fault."""
    found = faults.carried()
    if len(found) != 1:
        raise Refused(f"the program must carry exactly one fault to inject, it has: {found}")
    return found[0]


def prepare(kind: str, values: dict[str, str]) -> FaultRecord:
    """The record of the fault, with its undo, before anything was done. Raises Refused."""
    fault, is_fenced = faults.load(kind), values["fence"] != "none"
    check_tools({*TOOLS, *fault.tools, *(netfilter.TOOLS if is_fenced else ())})
    lease_table = parameters.lease_table()
    try:
        metadata = Metadata(2)
        instance_id = metadata.read("instance-id").strip()
        region = os.environ.get("AWS_REGION") or metadata.read("placement/region").strip()
        lease_host = endpoint(region).hostname or ""
    except (OSError, ValueError) as error:
        raise Refused(f"instance metadata or AWS_ENDPOINT_URL: {error}") from None
    fault_id = values["faultId"]
    record = FaultRecord(
        fault_id, instance_id, kind, specification.RESOURCES[kind], State.ARMING, values,
        digest=parameters.sha256_hex(fault_id)[:12],
        group_digest=parameters.sha256_hex(instance_id + fault_id)[:12],
        grant=f"{instance_id} {parameters.digest(values)}",
        region=region,
        lease_table=lease_table,
        environment={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
    )  # fmt: skip
    exempt = parameters.addresses("exemptAddresses", values["exemptAddresses"])
    protected = {*exempt, *addresses.protected(region, lease_host)}
    record.exempt = sorted(protected)
    record.peers = parameters.addresses("peerAddresses", values.get("peerAddresses", ""))
    addresses.refuse_protected(record.peers, protected)
    record.shard, record.families = list(record.peers), netfilter.families()
    if is_fenced or fault.uses_packet_filter:
        prepare_sets(record)
    if is_fenced:
        prepare_fence(record)
    record.undo += fault.prepare(record)
    note_sets(record, fault)
    try:
        fault.touched(record)
    except OSError as error:
        raise Refused(f"what the fault changes cannot be read on this host: {error}") from None
    return record


def prepare_sets(record: FaultRecord) -> None:
    """Can packets be matched through IP sets here, whose elements end by themselves?"""
    if "4" in record.families:
        problem = trial.in_own_network(lambda: packet_loss.trial(record))
        record.ends_in_kernel = problem is None
        record.facts["ipSets"] = problem or "yes"


def note_sets(record: FaultRecord, fault: faults.Fault) -> None:
    if fault.uses_packet_filter and record.facts.get("ipSets") not in ("yes", None) and not record.ends_in_kernel:
        record.notes.append("no IP sets here (ip_set, xt_set): the fault does not end in the kernel by itself")


def prepare_fence(record: FaultRecord) -> None:
    if "4" not in record.families:
        raise Refused("iptables-save does not work on this host, which the fence needs")
    addresses.require_families(record.families, addresses.reachable_v6(addresses.own()))
    engine_process.require_own_port(record, f"fence={record.values['fence']}")
    engine = engines.load(record.engine)
    record.shard = sorted({*record.peers, *(address for address, _ in engine.asked(record.values))})
    record.engine_facts = engine.prepare(record)
    record.undo.append(f"keep clients from port {record.node_port} until the role of the node is certain")


def check_tools(tools: set[str]) -> None:
    missing = sorted(tool for tool in tools if not command.exists(tool))
    if missing:
        named = ", ".join(f"{tool} (package {PACKAGES.get(tool, tool.split('-')[0])})" for tool in missing)
        raise Refused(f"tools missing on this host: {named}")
    if "iptables-save" in tools and not netfilter.usable("iptables-save"):
        raise Refused("iptables-save does not work on this host")
