"""The fence: clients are kept away from the node while its fault is taken back, until its role is certain. Loopback, the
shard (those who ask for the role and replicas must find each other) and exempt addresses pass.

A fault that ends in the kernel by itself has its fence armed beside it: rules that keep clients away once `armed` has run
out, as the fault does then, and as long as `clients` lasts, which is the fence's deadline longer. So clients never come
back to a former master before its peers have, although nobody may be left to see to it."""

from __future__ import annotations

import contextlib

from bounds import FENCE_SECONDS
from linux import ip_set, netfilter
from record import FaultRecord

PREFIX = "hff"
#: The one who waits for the engine should have taken the fence down by then, or is ended by the next one.
END_SECONDS = FENCE_SECONDS + 2


def set_of(record: FaultRecord, suffix: str) -> str:
    return f"{PREFIX}-{record.digest}-{suffix}"


def armed(record: FaultRecord) -> str:
    return set_of(record, "armed")


def clients(record: FaultRecord) -> str:
    return set_of(record, "clients")


def arm(record: FaultRecord, seconds: int) -> None:
    """Before the fault is applied, for one that ends in the kernel by itself after so many seconds."""
    for name in (armed(record), clients(record)):
        if not ip_set.exists(name):
            ip_set.create_ports(name, [record.node_port], seconds)
    refresh(record, seconds)
    netfilter.install(record, PREFIX, lambda family: rules_of(record, family, is_conditional=True))


def refresh(record: FaultRecord, seconds: int) -> None:
    ports = [record.node_port]
    ip_set.put_ports(clients(record), ports, seconds + FENCE_SECONDS)
    ip_set.put_ports(armed(record), ports, seconds)


def raise_it(record: FaultRecord) -> None:
    """Idempotent. Raises OSError when clients may still come through."""
    if record.ends_in_kernel:
        ports = [record.node_port]
        if not ip_set.exists(clients(record)):
            ip_set.create_ports(clients(record), ports, END_SECONDS)
        ip_set.put_ports(clients(record), ports, END_SECONDS)
        if record.fence.is_armed and netfilter.is_there(record, PREFIX):
            ip_set.empty(armed(record))
            return
    netfilter.install(record, PREFIX, lambda family: rules_of(record, family, is_conditional=False))


def stand_down(record: FaultRecord) -> None:
    """What is armed stays without effect: the role of the node is not in doubt."""
    if record.fence.is_armed:
        ip_set.empty(clients(record))


def lower(record: FaultRecord) -> None:
    """Takes everything of it away. Idempotent. Raises OSError when clients may still be kept away."""
    with contextlib.suppress(OSError):
        ip_set.empty(clients(record))  # at once, whoever holds the lock of xtables
    netfilter.remove(record, PREFIX)
    for name in (clients(record), armed(record)):
        ip_set.destroy(name)


def is_there(record: FaultRecord) -> bool:
    return netfilter.is_there(record, PREFIX)


def rules_of(record: FaultRecord, family: str, is_conditional: bool) -> netfilter.Rules:
    passing = netfilter.in_family(family, [*record.exempt, *record.shard])
    # Requests are enough: a write that cannot arrive cannot be acknowledged.
    drop = f"-p tcp {client_match(record, is_conditional)}-j DROP"
    return {"i": ["-i lo -j RETURN", *(f"-s {address} -j RETURN" for address in passing), drop]}


def client_match(record: FaultRecord, is_conditional: bool) -> str:
    if not record.ends_in_kernel:
        return f"-m tcp --dport {record.node_port} "
    condition = f"-m set ! --match-set {armed(record)} dst " if is_conditional else ""
    return f"-m set --match-set {clients(record)} dst {condition}"
