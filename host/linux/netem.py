"""netem for the packets to the peers alone, shared by latency and loss. In the place of the kernel's default queue,
which the kernel makes again when ours is deleted:

    root prio ROOT:   bands 1 to 3 by the kernel's own priority map, for everything that is not meant
      band 4          netem, reached through one u32 filter for each address of a peer

ROOT is made of the fault's id, between 4000: and 7ffe: (the kernel's own numbers begin at 8000:), and netem's handle
is the next one: so they can be found and removed when everything else is lost, and are taken for nobody else's."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import struct
import time
from typing import NamedTuple

from linux import addresses, command, netlink, trial
from linux.boot_clock import now
from record import FaultRecord
from refused import Refused

PRIORITY_MAP = "1 2 2 2 1 2 0 0 1 1 1 1 1 1 1 1"
#: More packets than a link sends within the longest delay: the delay must not become a loss.
LIMIT_PACKETS = 100_000
DRAIN_SECONDS = 1.0
#: What the kernel derives from the interface anew, and fields that count who looks.
VARYING = re.compile(r" (?:refcnt|(?:initial_)?quantum) \S+")
#: They stand beside the root, not in its place.
BESIDE = ("ingress", "clsact")
NETLINK_ROUTE, GET_QDISC = 0, 38
TC_MESSAGE = struct.Struct("=BxxxiIII")
A_STATISTICS, S_BASIC, S_QUEUE = 7, 1, 3


class Counts(NamedTuple):
    """Of our netem, on all interfaces together."""

    #: Everything that was ever given to it, what waits and what it lost included.
    packets: int
    waiting: int


def missing(record: FaultRecord, options: list[str]) -> str | None:
    """Why it cannot be used here, or None, as was found when it was first asked. It changes nothing on the host."""
    if "noNetem" not in record.facts:
        found = trial.in_own_network(lambda: install(record, ["lo"], options, []))
        said = found and f"this kernel or its tc has no netem (sch_netem, sch_prio, cls_u32): {found[:200]}"
        record.facts["noNetem"] = said
    return record.facts["noNetem"]


def root_of(record: FaultRecord) -> int:
    return int(record.digest[:4], 16) & 0x3FFE | 0x4000


def install(
    record: FaultRecord, interfaces: list[str], options: list[str], passages: list[tuple[str, int, int]]
) -> None:
    """Idempotent. `add` fails where someone else's root has come in the meantime. `options`: netem's own. `passages`:
    (address, port, own port) of connections that are not meant."""
    delete(record)
    for interface in interfaces:
        lines = [*queue(record, interface, options), *filters(record, interface, passages), ""]
        command.run(["tc", "-batch", "-"], "\n".join(lines))


def queue(record: FaultRecord, interface: str, options: list[str]) -> list[str]:
    head, root, netem = f"qdisc add dev {interface}", root_of(record), root_of(record) + 1
    return [
        f"{head} root handle {root:x}: prio bands 4 priomap {PRIORITY_MAP}",
        f"{head} parent {root:x}:4 handle {netem:x}: netem limit {LIMIT_PACKETS} {' '.join(options)}",
    ]


def filters(record: FaultRecord, interface: str, passages: list[tuple[str, int, int]]) -> list[str]:
    lines: list[str] = []
    head = f"filter add dev {interface} parent {root_of(record):x}:"
    # Asked in the order of their priorities, each of which has one protocol.
    for address, port, own_port in passages:
        protocol, match, priority, bits = ("ipv6", "ip6", 2, 128) if ":" in address else ("ip", "ip", 1, 32)
        ports = f"match {match} sport {own_port} 0xffff match {match} dport {port} 0xffff"
        # The first band but one is where the kernel's own map puts it.
        lines.append(
            f"{head} protocol {protocol} prio {priority} u32 match {match} dst {address}/{bits} {ports}"
            f" flowid {root_of(record):x}:2"
        )
    for address in record.peers:
        protocol, match, priority, bits = ("ipv6", "ip6", 4, 128) if ":" in address else ("ip", "ip", 3, 32)
        flow = f"flowid {root_of(record):x}:4"
        lines.append(f"{head} protocol {protocol} prio {priority} u32 match {match} dst {address}/{bits} {flow}")
    return lines


def queued_interfaces(record: FaultRecord) -> list[str]:
    """The interfaces whose root is ours. Raises OSError when that cannot be read: what was not seen is not gone."""
    root = f"{root_of(record):x}:"
    words = [line.split() for line in command.run(["tc", "qdisc", "show"]).splitlines()]
    return [each[4] for each in words if each[:4] == ["qdisc", "prio", root, "dev"] and each[5:6] == ["root"]]


def revert(record: FaultRecord) -> None:
    """New packets pass at once, and those that wait in netem may leave for a second: taking back should not lose them.
    Idempotent."""
    for interface in queued_interfaces(record):
        with contextlib.suppress(OSError):
            command.run(["tc", "filter", "del", "dev", interface, "parent", f"{root_of(record):x}:"])
    until = now() + DRAIN_SECONDS
    while counts(record).waiting and now() < until:
        time.sleep(0.01)
    delete(record)


def delete(record: FaultRecord) -> None:
    """The handle in the command makes the kernel refuse when the root is no longer ours."""
    failures: list[str] = []
    for interface in queued_interfaces(record):
        try:
            command.run(["tc", "qdisc", "del", "dev", interface, "root", "handle", f"{root_of(record):x}:", "prio"])
        except OSError as error:
            failures.append(str(error))
    if failures:
        raise OSError("; ".join(failures))


def is_there(record: FaultRecord) -> bool:
    return bool(queued_interfaces(record))


def counts(record: FaultRecord) -> Counts:
    """Raises OSError when the kernel does not say."""
    packets = waiting = 0
    body = TC_MESSAGE.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
    for answer in netlink.ask(NETLINK_ROUTE, [netlink.message(GET_QDISC, netlink.DUMP, body)]):
        _, _, handle, _, _ = TC_MESSAGE.unpack_from(answer)
        if handle != (root_of(record) + 1) << 16:
            continue
        statistics = dict(netlink.attributes(answer[TC_MESSAGE.size :])).get(A_STATISTICS, b"")
        parts = dict(netlink.attributes(statistics))
        queued, _, dropped, _, _ = struct.unpack_from("=IIIII", parts[S_QUEUE])
        packets += struct.unpack_from("=QI", parts[S_BASIC])[1] + dropped + queued
        waiting += queued
    return Counts(packets, waiting)


def interfaces_to(peers: list[str]) -> list[str]:
    """Those that lead to the peers. Raises Refused also for an interface whose queueing discipline is not what the
    kernel would put there again."""
    found = leading_to(peers)
    for interface in found:
        refuse_foreign(interface)
    return found


def leading_to(peers: list[str]) -> list[str]:
    """The interfaces on which packets to the peers leave. Raises Refused for a peer that is reached by none."""
    found: set[str] = set()
    for peer, line in zip(peers, routes([(peer, None) for peer in peers])):
        found |= leaving(peer, line)
    # A host with several interfaces may route by the address it sends from.
    usable = [
        own for own in addresses.own() if own != "127.0.0.1" and (":" not in own or addresses.reachable_v6([own]))
    ]
    pairs: list[tuple[str, str | None]] = [
        (peer, own) for peer in peers for own in usable if (":" in own) == (":" in peer)
    ]
    for line in routes(pairs, must_be=False):
        found |= set(devices(line)) - {"lo"}
    return sorted(found)


def routes(pairs: list[tuple[str, str | None]], must_be: bool = True) -> list[str]:
    """One line for each route from (peer, source address or None)."""
    text = "".join(f"route get fibmatch {peer}{f' from {own}' if own else ''}\n" for peer, own in pairs)
    try:
        said = command.attempt(["ip", "-o", *([] if must_be else ["-force"]), "-batch", "-"], text)
    except OSError as error:
        raise Refused(f"peerAddresses: ip route get: {error}") from None
    lines = said.out.splitlines()
    if must_be and (said.code != 0 or len(lines) != len(pairs)):
        peer = pairs[len(lines)][0] if len(lines) < len(pairs) else "a peer"
        raise Refused(f"peerAddresses: there is no route to {peer}: {said.err.strip()[:200]}")
    return lines


def leaving(peer: str, line: str) -> set[str]:
    found = devices(line)
    if line.split(maxsplit=1)[0] in (
        "local",
        "broadcast",
        "multicast",
        "anycast",
        "blackhole",
        "unreachable",
        "prohibit",
        "throw",
    ):
        raise Refused(f"peerAddresses: no packet to {peer} leaves this host, its route is: {line.strip()}")
    if not found or "lo" in found:
        raise Refused(f"peerAddresses: no interface leads to {peer}, its route is: {line.strip()}")
    return set(found)


def devices(line: str) -> list[str]:
    words = line.split()
    return [after for word, after in zip(words, words[1:]) if word == "dev"]


def refuse_foreign(interface: str) -> None:
    """Only the kernel's own default comes back by itself when ours is deleted: it has the handle 0: and, but for
    interfaces without a queue, the kind that is the default now."""
    lines = shown(interface)
    if lines is None:
        raise Refused(f"tc cannot show the queueing discipline of {interface}")
    for kind, handle in (line.split()[1:3] for line in lines):
        found = f"{interface} has the queueing discipline {kind}"
        if kind not in BESIDE and handle != "0:":
            raise Refused(f"{found} {handle}, which is not the kernel's default: someone else's")
        if kind not in (*BESIDE, "noqueue", "mq", default_kind()):
            raise Refused(f"{found}, but the kernel would make {default_kind()} of it now")


def default_kind() -> str | None:
    """None inside a network namespace, which does not show it: there only interfaces without a queue are taken."""
    if not os.path.exists("/proc/sys/net/core/default_qdisc"):
        return None
    with open("/proc/sys/net/core/default_qdisc", encoding="ascii") as file:
        return file.read().strip()


def shown(interface: str) -> list[str] | None:
    text = command.output(["tc", "qdisc", "show", "dev", interface])
    return None if text is None else [line for line in text.splitlines() if line.startswith("qdisc ")]


def touched(interfaces: list[str]) -> list[str]:
    """The queueing disciplines of the interfaces that a fault is put on."""
    lines: list[str] = []
    for interface in interfaces:
        found = shown(interface)
        if found is None:
            lines.append("tc could not be read")
        else:
            lines += [f"{interface}: {VARYING.sub('', line).strip()}" for line in found]
    return lines
