"""
Sees the probe of one experiment on the wire, in the network it is started in: `wire-capture.py EXPERIMENT PORT`.

Prints `capturing` once it sees packets. When stdin ends, it prints one JSON line: for each write of the probe when
its request left, and when the read behind it gave what was written, after a replica had it. Milliseconds since the
epoch, by the kernel's own time of the packet; null when that never came. Knows nothing of the probe but its keys and
commands.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import sys
import threading
from typing import Union

ETH_P_ALL = 3
SO_TIMESTAMPNS = 35
SO_RCVBUFFORCE = 33
BUFFER_BYTES = 32 * 1024 * 1024
TCP = 6

experiment, port = sys.argv[1], int(sys.argv[2])
KEY = re.compile(rb"holdfast:probe:%s:[^:]+:([0-9a-f-]+:\d+)" % re.escape(experiment.encode()))

Flow = tuple[bytes, int, bytes, int]
# Text, a list of messages, or nothing.
Message = Union[bytes, "list[Message]", None]


class Stream:
    """What one side of a connection sent, in the order in which it sent it."""

    def __init__(self) -> None:
        self.segments: dict[int, tuple[float, bytes]] = {}

    def add(self, at_ms: float, sequence: int, payload: bytes) -> None:
        # The first of a segment that was sent again is the one that arrived.
        self.segments.setdefault(sequence, (at_ms, payload))

    def has(self, pattern: re.Pattern[bytes]) -> bool:
        return any(pattern.search(payload) for _, payload in self.segments.values())

    def messages(self) -> list[tuple[float, Message]]:
        """Each whole message, and when its last byte was seen."""
        first = next(iter(self.segments), 0)
        ordered = sorted(self.segments.items(), key=lambda item: (item[0] - first) % 2**32)
        data = b"".join(payload for _, (_, payload) in ordered)
        times: list[tuple[int, float]] = []
        for _, (at_ms, payload) in ordered:
            times.append(((times[-1][0] if times else 0) + len(payload), at_ms))
        found: list[tuple[float, Message]] = []
        position = 0
        while (read := message_at(data, position)) is not None:
            message, position = read
            found.append((next(at_ms for end, at_ms in times if position <= end), message))
        return found


def message_at(data: bytes, position: int) -> tuple[Message, int] | None:
    """One message of RESP 2 and where it ends; None when it is not whole."""
    line_end = data.find(b"\r\n", position)
    if line_end < 0:
        return None
    kind, line = data[position : position + 1], data[position + 1 : line_end]
    after = line_end + 2
    if kind == b"$" and int(line) >= 0:
        end = after + int(line)
        return (data[after:end], end + 2) if len(data) >= end + 2 else None
    if kind != b"*":
        return (line if kind != b"$" else None), after
    parts: list[Message] = []
    for _ in range(int(line)):
        part = message_at(data, after)
        if part is None:
            return None
        parts.append(part[0])
        after = part[1]
    return parts, after


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
        if port in (flow[1], flow[3]):
            streams.setdefault(flow, Stream()).add(at_ms, sequence, payload)

    print(json.dumps(writes(streams)))


def writes(streams: dict[Flow, Stream]) -> list[dict[str, float | None]]:
    requested: dict[str, float] = {}
    promised: set[str] = set()
    read: dict[str, float] = {}
    for (client, client_port, server, server_port), stream in streams.items():
        # Nodes replicate over the same port, and then speak something else.
        if server_port != port or not stream.has(KEY):
            continue
        commands = stream.messages()
        answers = streams.get((server, server_port, client, client_port), Stream()).messages()
        for index, (at_ms, command) in enumerate(commands):
            if not isinstance(command, list) or len(command) < 2 or not isinstance(command[1], bytes):
                continue
            key = KEY.fullmatch(command[1])
            if key is None or not isinstance(command[0], bytes):
                continue
            value = key[1].decode()
            # One connection is answered in the order in which it asks.
            answer, behind = ([message for _, message in answers[index : index + 2]] + [None, None])[:2]
            if command[0].lower() == b"set":
                requested.setdefault(value, at_ms)
                if answer == b"OK" and isinstance(behind, bytes) and behind.isdigit() and int(behind) >= 1:
                    promised.add(value)
            elif command[0].lower() == b"get" and answer == value.encode():
                read[value] = answers[index][0]
    ordered = sorted(requested.items(), key=lambda item: item[1])
    return [
        {"requestedAtMs": at_ms, "answeredAtMs": read.get(value) if value in promised else None}
        for value, at_ms in ordered
    ]


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
