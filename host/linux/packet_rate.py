"""How many packets leave for some addresses now, as the interfaces see them. Nothing on the host is changed for it."""

from __future__ import annotations

import fcntl
import math
import select
import socket
import struct
from typing import NamedTuple

from linux.boot_clock import now

ALL_PROTOCOLS, OUTGOING = 0x0003, 4
SOL_PACKET, PACKET_STATISTICS = 263, 6
IPV6, GET_MTU = 0x86DD, 0x8921
HEADERS_BYTES = 40


class Rate(NamedTuple):
    packets_per_second: float
    bytes_per_second: float


def to(peers: list[str], interfaces: list[str], seconds: float) -> Rate:
    """Looks for so long. An interface may get a bundle of packets from the kernel, to cut it by itself: it counts as
    what it is cut into. Raises OSError."""
    wanted = {socket.inet_pton(socket.AF_INET6 if ":" in peer else socket.AF_INET, peer) for peer in peers}
    until, packets, size = now() + seconds, 0.0, 0.0
    watched = [Watched(interface, wanted) for interface in interfaces]
    try:
        while now() < until:
            ready, _, _ = select.select(watched, [], [], max(0.0, until - now()))
            for each in ready:
                each.count()
        for each in watched:
            share = each.share_seen()
            packets, size = packets + each.packets / share, size + each.bytes / share
    finally:
        for each in watched:
            each.channel.close()
    return Rate(packets / seconds, size / seconds)


class Watched:
    """One interface."""

    def __init__(self, interface: str, wanted: set[bytes]) -> None:
        self.wanted, self.packets, self.bytes, self.seen = wanted, 0, 0, 0
        self.buffer = memoryview(bytearray(HEADERS_BYTES))
        self.channel = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.channel.bind((interface, ALL_PROTOCOLS))
        request = struct.pack("16sI12x", interface.encode(), 0)
        self.mtu: int = struct.unpack_from("=I", fcntl.ioctl(self.channel, GET_MTU, request), 16)[0]

    def fileno(self) -> int:
        return self.channel.fileno()

    def count(self) -> None:
        # The length of all of it, of which no more than the headers are copied.
        length, (_, protocol, kind, *_) = self.channel.recvfrom_into(self.buffer, 0, socket.MSG_TRUNC)
        self.seen += 1
        to = self.buffer[24:40] if protocol == IPV6 else self.buffer[16:20]
        if kind == OUTGOING and bytes(to) in self.wanted:
            self.packets += math.ceil(length / self.mtu)
            self.bytes += length

    def share_seen(self) -> float:
        """Of those that there were: on a busy interface we miss some."""
        there = struct.unpack("=II", self.channel.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[0]
        return min(1.0, self.seen / there) if there else 1.0
