"""The process of the store: its unit's main process, or the owner of its port; and whether the port is this host's
own."""

from __future__ import annotations

import re

from linux import command, processes, systemd
from linux.processes import ProcessId
from record import FaultRecord
from refused import Refused


def main_pid(unit: str) -> int | None:
    text = systemd.property_of(unit, "MainPID") or ""
    return int(text) if text.isdigit() and int(text) > 1 else None


def require(record: FaultRecord) -> ProcessId:
    """Raises Refused when there is none."""
    unit, port = record.values["unit"], record.node_port
    pid = main_pid(unit) or processes.owner_of_port(port)
    found = processes.identify(pid) if pid else None
    if not found or not processes.is_alive(found):
        raise Refused(f"unit, storePorts: no process of {unit} and none that listens on {port}")
    return found


def require_own_port(record: FaultRecord, asked: str) -> None:
    """Raises Refused when clients of the store are forwarded to a container with a network of its own: they pass
    neither INPUT nor OUTPUT, so nothing would keep them out. `asked` is the parameter and value that want that."""
    port = record.node_port
    if not processes.listening_inodes(port):
        raise Refused(
            f"{asked}: nothing listens on port {port} in this host's own network; clients of a store in a container are"
            " forwarded past what would keep them out"
        )
    rules = command.output(["iptables-save"])
    if rules is None:
        raise Refused(f"{asked}: iptables-save does not say whether port {port} is forwarded to a container")
    if re.search(rf"--dport {port}(?!\d).* -j DNAT", rules):
        raise Refused(f"{asked}: port {port} is forwarded (DNAT) to a container with a network of its own")
