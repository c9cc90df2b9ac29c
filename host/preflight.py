"""Everything that can be known before anything is changed: tools, addresses, the process. Any doubt is a refusal."""

from __future__ import annotations

import os

import bounds
import faults
import parameters
import specification
from instance_metadata import Metadata
from lease_table import endpoint
from linux import addresses, command
from record import FaultRecord, State
from refused import Refused

TOOLS = ("ip",)
#: Which package has a command, where its name does not say so.
PACKAGES = {"ip": "iproute2 (iproute)", "tc": "iproute2 (iproute-tc)", "systemctl": "systemd"}
#: What the pair needs of the command's environment; none of it is secret.
ENVIRONMENT = (
    "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_CA_BUNDLE", "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    bounds.URL_SUFFIX_VARIABLE, "HOLDFAST_TRACE",
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
    check_tools({*TOOLS, *fault.tools})
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
    in_packet_filter = fault.uses_packet_filter(record)
    if is_fenced or in_packet_filter:
        import packet_filter_preflight  # noqa: PLC0415 not carried where no fault needs it

        packet_filter_preflight.prepare(record)
    record.undo += fault.prepare(record)
    if in_packet_filter and not record.ends_in_kernel and record.facts.get("noIpSets"):
        record.notes.append("no IP sets here (ip_set, xt_set): the fault does not end in the kernel by itself")
    try:
        fault.touched(record)
    except OSError as error:
        raise Refused(f"what the fault changes cannot be read on this host: {error}") from None
    return record


def check_tools(tools: set[str]) -> None:
    missing = sorted(tool for tool in tools if not command.exists(tool))
    if missing:
        named = ", ".join(f"{tool} (package {PACKAGES.get(tool, tool.split('-')[0])})" for tool in missing)
        raise Refused(f"tools missing on this host: {named}")
