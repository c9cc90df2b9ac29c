"""NFQUEUE: packets that wait in the kernel for the word of a program. Format: the kernel's
include/uapi/linux/netfilter/nfnetlink_queue.h."""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterable

from linux import netlink

NETLINK_NETFILTER, SUBSYSTEM = 12, 3
SOL_NETLINK, NO_BUFFER_ERRORS = 270, 5
VERDICT, CONFIG = 1, 2
ACCEPT, QUEUE = 1, 3
# Attributes of a packet and of a verdict on it, and of a configuration.
A_HEADER, A_VERDICT, A_PAYLOAD = 1, 2, 10
C_COMMAND, C_COPY, C_LENGTH, C_MASK, C_FLAGS = 1, 2, 3, 4, 5
BIND, COPY_PACKET, WHOLE, FAIL_OPEN = 1, 2, 0xFFFF, 1
BUFFER_BYTES = 16 << 20


def message(kind: int, number: int, *attributes: bytes) -> bytes:
    body = struct.pack("!BBH", socket.AF_UNSPEC, 0, number) + b"".join(attributes)
    return netlink.message(SUBSYSTEM << 8 | kind, 0, body)


def length(number: int, packets: int) -> bytes:
    """Makes the queue take no more than so many."""
    return message(CONFIG, number, netlink.attribute(C_LENGTH, struct.pack("!I", packets)))


def verdict(number: int, packet: int, what: int, payload: bytes | None = None) -> bytes:
    """`payload`: what it holds from now on."""
    said = netlink.attribute(A_VERDICT, struct.pack("!II", what, packet))
    return message(VERDICT, number, said, *([] if payload is None else [netlink.attribute(A_PAYLOAD, payload)]))


def to_queue(number: int) -> int:
    """The verdict that sends a packet on to another queue."""
    return number << 16 | QUEUE


def opened(number: int, packets: int, fails_open: bool) -> socket.socket:
    """The queue is ours while the socket is open. It takes so many packets; with `fails_open` others pass it at once,
    else they are lost. Raises OSError when it belongs to another process."""
    channel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_NETFILTER)
    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        # As SO_SNDBUFFORCE and SO_RCVBUFFORCE, beyond what the host gives to others.
        channel.setsockopt(socket.SOL_SOCKET, option + 25, BUFFER_BYTES)
    channel.setsockopt(SOL_NETLINK, NO_BUFFER_ERRORS, 1)
    channel.bind((0, 0))
    # In one message: between two of them the queue would have taken packets in another way.
    wanted = [
        netlink.attribute(C_COMMAND, struct.pack("!BBH", BIND, 0, socket.AF_UNSPEC)),
        netlink.attribute(C_COPY, struct.pack("!IB", WHOLE, COPY_PACKET)),
        netlink.attribute(C_LENGTH, struct.pack("!I", packets)),
        netlink.attribute(C_MASK, struct.pack("!I", FAIL_OPEN)),
        netlink.attribute(C_FLAGS, struct.pack("!I", FAIL_OPEN if fails_open else 0)),
    ]
    try:
        channel.send(message(CONFIG, number, *wanted))
        refuse_error(channel)
    except OSError:
        channel.close()
        raise
    return channel


def refuse_error(channel: socket.socket) -> None:
    """The kernel's refusal is there when `send` is done, and nothing is when it has agreed; or packets, which stay."""
    try:
        data = channel.recv(netlink.HEADER.size + 4, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return
    if netlink.HEADER.unpack_from(data)[1] == netlink.ERROR:
        number = -struct.unpack_from("=i", data, netlink.HEADER.size)[0]
        # Of another process's queue it says EPERM.
        raise OSError(number, "another process has it" if number == errno.EPERM else os.strerror(number))


def packet_of(data: memoryview) -> tuple[int, bytes] | None:
    """(number, content) of the packet that a message holds, or None when it holds none."""
    size, kind = struct.unpack_from("=IH", data)
    if kind >> 8 != SUBSYSTEM:
        return None
    at, packet, payload = netlink.HEADER.size + 4, 0, b""
    while at + 4 <= size:
        taken, name = struct.unpack_from("=HH", data, at)
        name &= netlink.KIND_MASK
        if name == A_HEADER:
            packet = struct.unpack_from("!I", data, at + 4)[0]
        elif name == A_PAYLOAD:
            payload = bytes(data[at + 4 : at + taken])
        at += taken + -taken % 4
    return packet, payload


def send_all(channel: socket.socket, messages: Iterable[bytes], most_bytes: int = 1 << 16) -> None:
    """Many in one system call."""
    waiting, size = list[bytes](), 0
    for each in messages:
        if size and size + len(each) > most_bytes:
            channel.send(b"".join(waiting))
            waiting, size = [], 0
        waiting.append(each)
        size += len(each)
    if waiting:
        channel.send(b"".join(waiting))
