"""The fence: clients are kept away from the node while its fault is taken back, until its role is certain. Loopback,
the shard (those who ask for the role and replicas must find each other) and exempt addresses pass.

A fault that ends in the kernel by itself has its fence armed beside it: rules that keep clients away once `armed` has
run out, as the fault does then, and as long as `clients` lasts, which is the fence's deadline longer. So clients
never come back to a former master before its peers have, although nobody may be left to see to it."""

from __future__ import annotations

import contextlib

from bounds import FENCE_SECONDS
from linux import ip_set, netfilter
from record import FaultRecord
from supervision.reversal import FENCE_END_SECONDS

PREFIX = "hff"


class Fence:
    """That of one fault. Everything raises OSError when it cannot be done."""

    def __init__(self, record: FaultRecord) -> None:
        self.record = record
        self.ports = [record.node_port]
        self.armed = f"{PREFIX}-{record.digest}-armed"
        self.clients = f"{PREFIX}-{record.digest}-clients"

    def arm(self, seconds: int) -> None:
        """Before the fault is applied, for one that ends in the kernel by itself after so many seconds."""
        for name in (self.armed, self.clients):
            if not ip_set.exists(name):
                ip_set.create_ports(name, self.ports, seconds)
        self.refresh(seconds)
        self.install(is_conditional=True)

    def refresh(self, seconds: int) -> None:
        ip_set.put_ports(self.clients, self.ports, seconds + FENCE_SECONDS)
        ip_set.put_ports(self.armed, self.ports, seconds)

    def raise_it(self) -> None:
        """Idempotent."""
        if self.record.ends_in_kernel:
            if not ip_set.exists(self.clients):
                ip_set.create_ports(self.clients, self.ports, FENCE_END_SECONDS)
            ip_set.put_ports(self.clients, self.ports, FENCE_END_SECONDS)
            if self.record.fence.is_armed and self.is_in_force():
                ip_set.empty(self.armed)
                return
        self.install(is_conditional=False)

    def stand_down(self) -> None:
        """What is armed stays without effect: the role of the node is not in doubt."""
        if self.record.ends_in_kernel:
            ip_set.empty(self.clients)

    def lower(self) -> None:
        """Takes everything of it away. Idempotent."""
        with contextlib.suppress(OSError):
            ip_set.empty(self.clients)  # at once, whoever holds the lock of xtables
        netfilter.remove(self.record, PREFIX)
        for name in (self.clients, self.armed):
            ip_set.destroy(name)

    def is_there(self) -> bool:
        return self.has_rules() or any(ip_set.exists(name) for name in (self.armed, self.clients))

    def has_rules(self) -> bool:
        return netfilter.is_there(self.record, PREFIX)

    def is_in_force(self) -> bool:
        """Is there, in every family, a jump to a rule that drops? Somebody may have flushed them."""
        chain = netfilter.chain_of(PREFIX, self.record.digest)
        for family in self.record.families:
            saved = netfilter.save(family)
            drops = any(line.startswith(f"-A {chain}-i ") and line.endswith("-j DROP") for line in saved)
            if not drops or not netfilter.unhook(saved, chain):
                return False
        return True

    def install(self, is_conditional: bool) -> None:
        netfilter.install(self.record, PREFIX, lambda family: self.rules_of(family, is_conditional))

    def rules_of(self, family: str, is_conditional: bool) -> netfilter.Rules:
        passing = netfilter.in_family(family, [*self.record.exempt, *self.record.shard])
        # Requests are enough: a write that cannot arrive cannot be acknowledged.
        drop = f"-p tcp {self.client_match(is_conditional)}-j DROP"
        return {"i": ["-i lo -j RETURN", *(f"-s {address} -j RETURN" for address in passing), drop]}

    def client_match(self, is_conditional: bool) -> str:
        if not self.record.ends_in_kernel:
            return f"-m tcp --dport {self.record.node_port} "
        condition = f"-m set ! --match-set {self.armed} dst " if is_conditional else ""
        return f"-m set --match-set {self.clients} dst {condition}"
