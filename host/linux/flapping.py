"""A loss of packets that comes and goes: there for so many seconds, away for so many, and so on to its end. Its rules
match only what is in sets that a worker of ours fills and empties (workers/flap.py). Their elements end by themselves a
moment later, so that without the worker all packets pass."""

from __future__ import annotations

from dataclasses import replace

from linux import netfilter, packet_loss, worker_processes
from linux.boot_clock import now
from linux.packet_loss import Loss
from linux.worker_processes import Pipes
from record import Counting, Effect, FaultRecord
from refused import Refused

WORKER = "flap"
#: A packet from just before the loss went, or came, may be counted as another one; so may a look.
MARGIN_SECONDS = 0.3


def is_asked_for(record: FaultRecord) -> bool:
    # A record of an earlier version has none.
    return bool(record.values.get("flap"))


def seconds_of(record: FaultRecord) -> tuple[int, int]:
    """(there, away)."""
    there, away = record.values["flap"].split(",")
    return int(there), int(away)


def require(record: FaultRecord) -> None:
    """Raises Refused where it cannot be done."""
    if not is_asked_for(record):
        return
    if not record.ends_in_kernel:
        raise Refused(
            "flap: needs IP sets (ip_set, ip_set_hash_ip, ip_set_bitmap_port, xt_set), which this kernel has not"
        )
    period, seconds = sum(seconds_of(record)), int(record.values["ttlSeconds"])
    if period >= seconds:
        raise Refused(f"flap: comes back after {period} s, but ttlSeconds is {seconds}")


def workers(record: FaultRecord) -> int:
    return 1 if is_asked_for(record) else 0


def start(record: FaultRecord, pipes: Pipes, loss: Loss) -> None:
    if not is_asked_for(record):
        return
    sets = [
        f"{packet_loss.set_of(record, family + 'f')}={','.join(netfilter.in_family(family, record.peers))}"
        for family in packet_loss.families_of(record)
    ]
    if loss.client_ports:
        sets.append(f"{packet_loss.set_of(record, 'if')}={','.join(map(str, loss.client_ports))}")
    worker_processes.start(record, pipes, WORKER, [*map(str, seconds_of(record)), *sets])


def effect(record: FaultRecord) -> Effect:
    """While it is away nothing can be lost: then what was lost before stands for it. Raises OSError when it cannot be
    seen."""
    seen = packet_loss.effect(record)
    return replace(seen, counting=Counting.LEVEL) if is_away(record) else seen


def is_away(record: FaultRecord) -> bool:
    """By the plan of the worker."""
    if not is_asked_for(record) or "ready" not in record.facts:
        return False
    there, away = seconds_of(record)
    since = (now() - float(record.facts["ready"])) % (there + away)
    return since > there - MARGIN_SECONDS or since < MARGIN_SECONDS
