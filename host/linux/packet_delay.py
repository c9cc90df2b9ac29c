"""Packets to the peers that a worker of ours holds for a while (workers/delay_packets.py). A rule sends them to its
queue; without a worker they pass at once. Where the kernel has IP sets, the rule matches through elements that end by
themselves, as in packet_loss.py."""

from __future__ import annotations

from linux import netfilter, packet_loss, passage, trial
from linux.boot_clock import now
from linux.netfilter import QUEUE_PREFIX
from linux.packet_loss import Loss
from record import Counting, Effect, FaultRecord

#: A worker that has not reported for so long hangs.
SILENCE_SECONDS = 1.5
#: It may hold packets so much longer than asked, or this share of that.
LATE_MS, LATE_SHARE = 20.0, 0.2


def queue_of(record: FaultRecord) -> int:
    """The first of its two queues, an even number."""
    return 1024 + int(record.digest[:4], 16) % 32_000 * 2


def report_of(record: FaultRecord) -> str:
    return f"/run/holdfast/{record.fault_id}/delay"


def all_of(record: FaultRecord) -> Loss:
    return Loss(100, "out", passages=passage.of_record(record))


def packets_in(number: int) -> int | None:
    """How many a queue has had; None when nobody has the queue."""
    try:
        with open("/proc/self/net/netfilter/nfnetlink_queue", encoding="ascii") as file:
            rows = [line.split() for line in file]
    except FileNotFoundError:
        return None
    return next((int(row[7]) for row in rows if row[0] == str(number)), None)


def problem(record: FaultRecord) -> str | None:
    """Why packets cannot wait for a worker here, or None. It changes nothing on the host."""
    from linux import packet_queue  # noqa: PLC0415 the program that only rolls back does without

    def attempt() -> None:
        packet_queue.opened(1, 1, fails_open=True).close()
        for family in record.families:
            netfilter.restore(family, [f"-A POSTROUTING {target(1)}"], "mangle")

    return trial.in_own_network(attempt)


def holder(record: FaultRecord) -> str | None:
    """Who has one of its queues already, or None."""
    for number in (queue_of(record), queue_of(record) + 1):
        if packets_in(number) is not None:
            return f"queue {number} of the packet filter belongs to another process"
    return None


def target(number: int) -> str:
    return f"-j NFQUEUE --queue-num {number} --queue-bypass"


def apply(record: FaultRecord, seconds: int) -> None:
    """Idempotent. With sets it ends after so many seconds unless it is refreshed."""
    everything = all_of(record)
    if record.ends_in_kernel:
        packet_loss.make_sets(record, everything, seconds)
        packet_loss.refresh(record, everything, seconds)
    netfilter.install(record, QUEUE_PREFIX, lambda family: rules_of(record, everything, family))


def rules_of(record: FaultRecord, everything: Loss, family: str) -> netfilter.Rules:
    """What is sent, by this host or through it, as late as can be."""
    sent = packet_loss.rules_of(record, everything, family)["o"]
    return {"p": [rule.replace("-j DROP", target(queue_of(record))) for rule in sent]}


def refresh(record: FaultRecord, seconds: int) -> None:
    packet_loss.refresh(record, all_of(record), seconds)


def revert(record: FaultRecord) -> None:
    """Takes everything away. Idempotent, needs no record but the mark. Without a record every kind looks for its own,
    and sets of a loss have the same names."""
    if netfilter.is_there(record, QUEUE_PREFIX) or not netfilter.is_there(record, packet_loss.PREFIX):
        packet_loss.revert(record, QUEUE_PREFIX)


def is_there(record: FaultRecord) -> bool:
    return packet_loss.is_there(record, QUEUE_PREFIX)


def effect(record: FaultRecord, latency_ms: int) -> Effect:
    """Raises OSError when it cannot be seen, or is another one than was asked for."""
    packets = packets_in(queue_of(record))
    if packets is None:
        raise OSError("nobody has the queue")
    with open(report_of(record), encoding="ascii") as file:
        words = [float(word) for word in file.read().split()]
    if len(words) != 5:
        raise OSError("the worker has said nothing yet")
    at, held, delay_ms, late_ms, passed = words
    if now() - at > SILENCE_SECONDS:
        raise OSError(f"the worker has said nothing for {now() - at:.1f} s")
    if late_ms > max(LATE_MS, latency_ms * LATE_SHARE):
        raise OSError(f"packets are held up to {late_ms:.0f} ms longer than asked")
    if passed:
        raise OSError(f"{passed:.0f} packets passed within a second without being held")
    return Effect(f"packets held {delay_ms:.1f} ms, {held:.0f} now", "packets", packets, Counting.TOTAL)


def touched(record: FaultRecord) -> list[str]:
    """Its sets and queues that are there."""
    numbers = [each for each in (queue_of(record), queue_of(record) + 1) if packets_in(each) is not None]
    return [*packet_loss.sets_of(record), *(f"queue {number}" for number in numbers)]
