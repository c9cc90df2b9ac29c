"""
Sees the probe of one experiment on the wire, in the network it is started in: `wire-capture.py EXPERIMENT PORT`.

Prints `capturing` once it sees packets. When stdin ends, it prints one JSON line: for each write of the probe when its
request left, and when an answer came that says that the write is there and that a replica has it. Milliseconds since
the epoch, by the kernel's own time of the packet; null when no answer came. Knows nothing of the probe but its keys.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import sys
import threading

ETH_P_ALL = 3
SO_TIMESTAMPNS = 35
SO_RCVBUFFORCE = 33
BUFFER_BYTES = 32 * 1024 * 1024
TCP = 6

experiment, port = sys.argv[1], int(sys.argv[2])
REQUEST = re.compile(
    rb"(?i)\r\nset\r\n\$\d+\r\nholdfast:probe:%s:[^:\r]+:([0-9a-f-]+:\d+)\r\n" % re.escape(experiment.encode())
)
# SET, then WAIT with the number of replicas, then GET with the value.
ANSWER = re.compile(rb"\+OK\r\n:([1-9]\d*)\r\n\$\d+\r\n([0-9a-f-]+:\d+)\r\n")

Flow = tuple[bytes, int, bytes, int]


class Stream:
    """What one side of a connection sent, in the order in which it sent it."""

    def __init__(self) -> None:
        self.segments: dict[int, tuple[float, bytes]] = {}

    def add(self, at_ms: float, sequence: int, payload: bytes) -> None:
        # The first of a segment that was sent again is the one that arrived.
        self.segments.setdefault(sequence, (at_ms, payload))

    def answers(self) -> dict[str, float]:
        """Value -> when the last byte of its answer was seen."""
        first = next(iter(self.segments), 0)
        ordered = sorted(self.segments.items(), key=lambda item: (item[0] - first) % 2**32)
        data = b"".join(payload for _, (_, payload) in ordered)
        ends: list[tuple[int, float]] = []
        for _, (at_ms, payload) in ordered:
            ends.append(((ends[-1][0] if ends else 0) + len(payload), at_ms))
        return {
            match[2].decode(): next(at_ms for end, at_ms in ends if match.end() <= end)
            for match in ANSWER.finditer(data)
        }


def main() -> None:
    sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    sniffer.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sniffer.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
    sniffer.settimeout(0.2)
    ended = threading.Event()

    def wait_for_end() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait_for_end, daemon=True).start()
    print("capturing", flush=True)

    requested: dict[str, float] = {}
    ours: set[Flow] = set()
    streams: dict[Flow, Stream] = {}
    while not ended.is_set():
        try:
            packet, ancillary, _, _ = sniffer.recvmsg(65536, 64)
        except socket.timeout:
            continue
        seen = tcp_payload(packet)
        if seen is None:
            continue
        flow, sequence, payload = seen
        seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
        at_ms = seconds * 1000 + nanoseconds / 1e6
        if flow[3] == port:
            for match in REQUEST.finditer(payload):
                ours.add(flow)
                requested.setdefault(match[1].decode(), at_ms)
        elif flow[1] == port:
            streams.setdefault(flow, Stream()).add(at_ms, sequence, payload)

    answered: dict[str, float] = {}
    for client, client_port, server, server_port in ours:
        stream = streams.get((server, server_port, client, client_port), Stream())
        answered.update(stream.answers())
    ordered = sorted(requested.items(), key=lambda item: item[1])
    print(json.dumps([{"requestedAtMs": at_ms, "answeredAtMs": answered.get(value)} for value, at_ms in ordered]))


def tcp_payload(packet: bytes) -> tuple[Flow, int, bytes] | None:
    """Of a packet of IPv4: its flow, its sequence number, what it carries; None when it carries nothing."""
    if len(packet) < 20 or packet[0] >> 4 != 4 or packet[9] != TCP:
        return None
    header = (packet[0] & 15) * 4
    source, destination, sequence = struct.unpack_from("!HHI", packet, header)
    (total,) = struct.unpack_from("!H", packet, 2)
    payload = packet[header + (packet[header + 12] >> 4) * 4 : total]
    return ((packet[12:16], source, packet[16:20], destination), sequence, payload) if payload else None


main()
