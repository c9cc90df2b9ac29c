"""Questions to the kernel over netlink, in its own words: no command has to be started, and no lock of one waited
for."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator

REQUEST, MULTI, ACKNOWLEDGE, DUMP = 0x1, 0x2, 0x4, 0x300
NESTED, BIG_ENDIAN, KIND_MASK = 0x8000, 0x4000, 0x3FFF
ERROR, DONE = 2, 3
HEADER = struct.Struct("=IHHII")
TIMEOUT_SECONDS = 1.0
BUFFER_BYTES = 1 << 16


def attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(kind without flags, its data), in order; nested ones are data of their own."""
    at = 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4:
            return
        yield kind & KIND_MASK, data[at + 4 : at + length]
        at += length + -length % 4


def message(kind: int, flags: int, body: bytes) -> bytes:
    return HEADER.pack(HEADER.size + len(body), kind, REQUEST | flags, 1, 0) + body


def ask(protocol: int, messages: list[bytes]) -> list[bytes]:
    """Sends each message, to be acknowledged or to be answered by a dump, and gives the bodies of what came back.
    Raises OSError with the kernel's number for the first one that it refuses."""
    bodies: list[bytes] = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol) as channel:
        channel.settimeout(TIMEOUT_SECONDS)
        channel.bind((0, 0))
        for each in messages:
            channel.send(each)
            bodies += receive(channel)
    return bodies


def receive(channel: socket.socket) -> list[bytes]:
    bodies: list[bytes] = []
    while True:
        data = channel.recv(BUFFER_BYTES)
        at = 0
        while at + HEADER.size <= len(data):
            length, kind, _, _, _ = HEADER.unpack_from(data, at)
            body = data[at + HEADER.size : at + length]
            if kind in (ERROR, DONE):
                number = -struct.unpack_from("=i", body)[0] if len(body) >= 4 else 0
                if number > 0:
                    raise OSError(number, os.strerror(number))
                return bodies
            bodies.append(body)
            at += length + -length % 4
