"""Packets to and from peers that the packet filter loses, all or a share of them; clients too, if wanted.

Where the kernel has IP sets, rules match through sets whose elements end by themselves a moment after the lease could
have ended, and are given new life with each beat of the guard: the loss ends in the kernel when nobody is left to end
it, and is lifted without the lock of xtables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from linux import ip_set, netfilter
from linux.addresses import family_of
from record import Counting, Effect, FaultRecord

PREFIX = "hf"
SUFFIXES = ("4", "6", "i", "4f", "6f", "if")


@dataclass(frozen=True)
class Loss:
    percent: int
    #: `in`: what arrives, `out`: what is sent, `both`.
    direction: str
    #: TCP and UDP ports; none: everything.
    ports: list[int] = field(default_factory=list[int])
    #: TCP ports that clients are kept from.
    client_ports: list[int] = field(default_factory=list[int])
    #: (address, port, own port): connections of ours that must pass, to see the node's role.
    passages: list[tuple[str, int, int]] = field(default_factory=list[tuple[str, int, int]])
    #: It is there only while a worker says so, see flapping.py: rules match through sets of its own too.
    flaps: bool = False


def set_of(record: FaultRecord, suffix: str) -> str:
    """`4` and `6`: the peers; `i`: the ports that clients are kept from; with an `f` behind: the same, filled by the
    worker of a loss that comes and goes."""
    return f"{PREFIX}-{record.digest}-{suffix}"


def families_of(record: FaultRecord) -> list[str]:
    """Of the peers."""
    return sorted({family_of(address) for address in record.peers})


def apply(record: FaultRecord, loss: Loss, seconds: int) -> None:
    """Idempotent. With sets it ends after so many seconds unless it is refreshed."""
    if record.ends_in_kernel:
        make_sets(record, loss, seconds)
        refresh(record, loss, seconds)
    netfilter.install(record, PREFIX, lambda family: rules_of(record, loss, family))


def make_sets(record: FaultRecord, loss: Loss, seconds: int) -> None:
    for mark in ("", "f") if loss.flaps else ("",):
        for family in families_of(record):
            if not ip_set.exists(set_of(record, family + mark)):
                ip_set.create_addresses(set_of(record, family + mark), family, seconds)
        if loss.client_ports and not ip_set.exists(set_of(record, "i" + mark)):
            ip_set.create_ports(set_of(record, "i" + mark), loss.client_ports, seconds)


def refresh(record: FaultRecord, loss: Loss, seconds: int) -> None:
    """Lets it go on for so long. Raises OSError when its sets are gone."""
    if not record.ends_in_kernel:
        return
    if loss.client_ports:
        ip_set.put_ports(set_of(record, "i"), loss.client_ports, seconds)
    for family in families_of(record):
        ip_set.put_addresses(set_of(record, family), netfilter.in_family(family, record.peers), seconds)


def lift(record: FaultRecord) -> None:
    """Ends the loss at once, whoever holds the lock of xtables."""
    for suffix in SUFFIXES:
        ip_set.empty(set_of(record, suffix))


def revert(record: FaultRecord, prefix: str = PREFIX) -> None:
    """Takes everything away. Idempotent, needs no record but the mark. `prefix`: of the chains."""
    problems: list[str] = []
    acts: list[Callable[[], None]] = [
        lambda: lift(record), lambda: netfilter.remove(record, prefix), lambda: remove_sets(record),
    ]  # fmt: skip
    for act in acts:
        try:
            act()
        except OSError as error:
            problems.append(str(error))
    if problems:
        raise OSError("; ".join(problems))


def remove_sets(record: FaultRecord) -> None:
    for suffix in SUFFIXES:
        ip_set.destroy(set_of(record, suffix))


def is_there(record: FaultRecord, prefix: str = PREFIX) -> bool:
    return netfilter.is_there(record, prefix) or bool(sets_of(record))


def sets_of(record: FaultRecord) -> list[str]:
    """Those that are there."""
    return [name for name in (set_of(record, each) for each in SUFFIXES) if ip_set.exists(name)]


def packets(record: FaultRecord) -> int:
    """How many packets to or from the peers met the fault. Raises OSError when a peer is not cut any more."""
    if not record.ends_in_kernel:
        return netfilter.packets(record, PREFIX)
    found = [count for family in families_of(record) for count in ip_set.packets(set_of(record, family))]
    if len(found) != len(set(record.peers)):
        raise OSError("peers are missing from the fault's IP sets")
    return sum(found)


def rules_of(record: FaultRecord, loss: Loss, family: str) -> netfilter.Rules:
    """Order is the promise: loopback and what must never be cut leave the chain before anything is dropped."""
    arriving: list[str] = ["-i lo -j RETURN"]
    sent: list[str] = ["-o lo -j RETURN"]
    forwarded: list[str] = []
    for address in netfilter.in_family(family, record.exempt):
        arriving.append(f"-s {address} -j RETURN")
        sent.append(f"-d {address} -j RETURN")
        forwarded += [f"-s {address} -j RETURN", f"-d {address} -j RETURN"]
    for address, port, own_port in loss.passages:
        if family_of(address) == family:
            arriving.append(f"-p tcp -s {address} -m tcp --sport {port} --dport {own_port} -j RETURN")
            sent.append(f"-p tcp -d {address} -m tcp --sport {own_port} --dport {port} -j RETURN")
    drop = f"{share(loss.percent)}-j DROP"
    # Without sets, which count what they meet, a rule of its own counts what the next one loses a share of.
    targets = [drop] if record.ends_in_kernel else ["", drop]
    for match in port_matches(loss.ports):
        for source, destination in peer_matches(record, loss, family):
            for target in targets:
                arriving.append(f"{match}{source}{target}".strip())
                sent.append(f"{match}{destination}{target}".strip())
                forwarded += [f"{match}{each}{target}".strip() for each in directed(loss, source, destination)]
    if loss.client_ports:
        to_them, from_them = client_matches(record, loss)
        arriving.append(f"-p tcp {to_them}{drop}")
        sent.append(f"-p tcp {from_them}{drop}")
    chosen: netfilter.Rules = {}
    if loss.direction != "out":
        chosen["i"] = arriving
    if loss.direction != "in":
        chosen["o"] = sent
    chosen["f"] = forwarded
    return chosen


def directed(loss: Loss, source: str, destination: str) -> list[str]:
    return [*([source] if loss.direction != "out" else []), *([destination] if loss.direction != "in" else [])]


def share(percent: int) -> str:
    """What makes a rule meet so many per cent of the packets."""
    return f"-m statistic --mode random --probability 0.{percent:02d} " if percent < 100 else ""


def port_matches(ports: list[int]) -> list[str]:
    text = ",".join(map(str, ports))
    return [f"-p {protocol} -m multiport --ports {text} " for protocol in ("tcp", "udp")] if ports else [""]


def peer_matches(record: FaultRecord, loss: Loss, family: str) -> list[tuple[str, str]]:
    """(what comes from a peer, what goes to one). The set counts what it meets, so it stands behind all but the
    share."""
    peers = netfilter.in_family(family, record.peers)
    if not record.ends_in_kernel:
        return [(f"-s {address} ", f"-d {address} ") for address in peers]
    return [(set_match(record, loss, family, "src"), set_match(record, loss, family, "dst"))] if peers else []


def set_match(record: FaultRecord, loss: Loss, suffix: str, end: str) -> str:
    """`end`: `src` or `dst`."""
    names = [set_of(record, suffix + mark) for mark in (("f", "") if loss.flaps else ("",))]
    return "".join(f"-m set --match-set {name} {end} " for name in names)


def client_matches(record: FaultRecord, loss: Loss) -> tuple[str, str]:
    if record.ends_in_kernel:
        return set_match(record, loss, "i", "dst"), set_match(record, loss, "i", "src")
    text = ",".join(map(str, loss.client_ports))
    return f"-m multiport --dports {text} ", f"-m multiport --sports {text} "


def effect(record: FaultRecord) -> Effect:
    """Raises OSError when it cannot be seen."""
    return Effect("packets through the fault", "packets", packets(record), Counting.TOTAL)
