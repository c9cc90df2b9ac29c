"""Connections of our own through a network fault: those that must pass, to see the node's role in its shard, and a
packet that must not, to see that the fault is there."""

from __future__ import annotations

import contextlib
import socket
import time

import engines
from record import FaultRecord

#: Above what the kernel gives to connections by itself (net.ipv4.ip_local_port_range).
FIRST_OWN_PORT, OWN_PORTS = 61_000, 4_000
ANSWER_SECONDS = 0.02


def own_port(record: FaultRecord) -> int:
    """From which we ask: no one else's connection comes from there."""
    return FIRST_OWN_PORT + int(record.digest[4:8], 16) % OWN_PORTS


def of_record(record: FaultRecord) -> list[tuple[str, int, int]]:
    """(address, port, own port) of whom the engine asks about the node's role."""
    if not record.is_fenced:
        return []
    asked = engines.load(record.engine).asked(record.values)
    return [(address, port, own_port(record)) for address, port in asked]


def send_through(record: FaultRecord, port: int) -> None:
    """The first packet of a TCP connection to each of a few peers. One that arrives is answered, and the answer meets
    a fault that works on what arrives."""
    opened: list[socket.socket] = []
    try:
        for address in record.peers[:4]:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            each = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
            opened.append(each)
            with contextlib.suppress(OSError):
                each.connect((address, port))
        time.sleep(ANSWER_SECONDS)
    finally:
        for each in opened:
            each.close()
