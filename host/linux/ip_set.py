"""IP sets of the kernel whose elements go away by themselves: what a rule matches through them ends although nobody
is left to end it. Spoken to over netlink: neither the command `ipset` nor the lock of xtables is needed. Format: the
kernel's include/uapi/linux/netfilter/ipset/ip_set.h."""

from __future__ import annotations

import errno
import socket
import struct
import time
from collections.abc import Iterable

from linux import netlink
from linux.boot_clock import now

NETLINK_NETFILTER = 12
SUBSYSTEM, PROTOCOL = 6, 6
CREATE, DESTROY, FLUSH, LIST, ADD, HEADER = 2, 3, 4, 7, 9, 12
FLAG_CREATE, FLAG_EXCLUSIVE = 0x400, 0x200
# Attributes of a message, and of what it is about.
A_PROTOCOL, A_NAME, A_TYPE, A_REVISION, A_FAMILY, A_DATA, A_ELEMENTS = 1, 2, 3, 4, 5, 7, 8
D_IP, D_PORT, D_PORT_TO, D_TIMEOUT, D_FLAGS, D_PACKETS = 1, 4, 5, 6, 8, 25
WITH_COUNTERS = 8
#: The set is still in use: rules that were deleted are taken apart a moment later.
BUSY = 4100
BUSY_SECONDS = 1.0
FAMILIES = {"4": socket.AF_INET, "6": socket.AF_INET6}


def create_addresses(name: str, family: str, seconds: int) -> None:
    """A set of addresses (`family`: "4" or "6"), whose elements live so long and count packets."""
    create(name, "hash:ip", FAMILIES[family], seconds, b"")


def create_ports(name: str, ports: Iterable[int], seconds: int) -> None:
    """A set of TCP ports; of no other ones than these, as it takes memory for the whole range."""
    wanted = sorted(ports)
    bounds = number(D_PORT, ">H", wanted[0]) + number(D_PORT_TO, ">H", wanted[-1])
    create(name, "bitmap:port", socket.AF_UNSPEC, seconds, bounds)


def create(name: str, kind: str, family: int, seconds: int, more: bytes) -> None:
    data = number(D_TIMEOUT, ">I", seconds) + number(D_FLAGS, ">I", WITH_COUNTERS) + more
    body = text(A_TYPE, kind) + netlink.attribute(A_REVISION, b"\0") + netlink.attribute(A_FAMILY, bytes([family]))
    ask(CREATE, name, body + nested(A_DATA, data), FLAG_CREATE | FLAG_EXCLUSIVE)


def put_addresses(name: str, addresses: Iterable[str], seconds: int) -> None:
    """Adds them, or lets them live so long from now on; what they counted is kept."""
    put(name, (element_of(address) for address in addresses), seconds)


def put_ports(name: str, ports: Iterable[int], seconds: int) -> None:
    put(name, (number(D_PORT, ">H", port) for port in ports), seconds)


def put(name: str, elements: Iterable[bytes], seconds: int) -> None:
    life = number(D_TIMEOUT, ">I", seconds)
    messages = [message(ADD, name, nested(A_DATA, element + life), netlink.ACKNOWLEDGE) for element in elements]
    netlink.ask(NETLINK_NETFILTER, messages)


def packets(name: str) -> list[int]:
    """How many packets met each element that is alive. Raises OSError, ENOENT when there is no such set."""
    found: list[int] = []
    for body in netlink.ask(NETLINK_NETFILTER, [message(LIST, name, b"", netlink.DUMP)]):
        for kind, data in netlink.attributes(body[4:]):
            if kind == A_ELEMENTS:
                found += [packets_of(element) for kind, element in netlink.attributes(data) if kind == A_DATA]
    return found


def packets_of(element: bytes) -> int:
    counted = (data for kind, data in netlink.attributes(element) if kind == D_PACKETS)
    return sum(struct.unpack(">Q", data)[0] for data in counted)


def exists(name: str) -> bool:
    """Raises OSError when the kernel does not say."""
    try:
        ask(HEADER, name)
    except OSError as error:
        # EOPNOTSUPP and EINVAL: a kernel without IP sets has none.
        if error.errno in (errno.ENOENT, errno.EOPNOTSUPP, errno.EINVAL, errno.EPROTONOSUPPORT):
            return False
        raise
    return True


def empty(name: str) -> None:
    """Idempotent: a set that is not there is empty."""
    if exists(name):
        ask(FLUSH, name)


def destroy(name: str) -> None:
    """Idempotent. No rule may use it any more."""
    until = now() + BUSY_SECONDS
    while exists(name):
        try:
            ask(DESTROY, name)
        except OSError as error:
            if error.errno == errno.ENOENT:
                return
            if error.errno != BUSY or now() > until:
                raise OSError(error.errno, f"IP set {name} cannot be removed: {error}") from None
            time.sleep(0.01)


def ask(command: int, name: str, body: bytes = b"", flags: int = 0) -> None:
    netlink.ask(NETLINK_NETFILTER, [message(command, name, body, netlink.ACKNOWLEDGE | flags)])


def message(command: int, name: str, body: bytes, flags: int) -> bytes:
    head = struct.pack("=BBH", socket.AF_UNSPEC, 0, 0) + netlink.attribute(A_PROTOCOL, bytes([PROTOCOL]))
    return netlink.message(SUBSYSTEM << 8 | command, flags, head + text(A_NAME, name) + body)


def element_of(address: str) -> bytes:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = (2 if ":" in address else 1) | netlink.BIG_ENDIAN
    return nested(D_IP, netlink.attribute(kind, socket.inet_pton(family, address)))


def nested(kind: int, data: bytes) -> bytes:
    return netlink.attribute(kind | netlink.NESTED, data)


def number(kind: int, form: str, value: int) -> bytes:
    return netlink.attribute(kind | netlink.BIG_ENDIAN, struct.pack(form, value))


def text(kind: int, value: str) -> bytes:
    return netlink.attribute(kind, value.encode() + b"\0")
