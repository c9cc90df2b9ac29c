"""delay_packets.py QUEUE LATENCY_MS JITTER_MS MOST_BYTES REPORT: each packet that comes to the queue leaves LATENCY_MS
later, give or take JITTER_MS, and none overtakes another. What would be more than MOST_BYTES passes at once. REPORT is
a file; what is in it: `Report`.

The sender of a packet that waits in the kernel waits too: until it is gone, TCP sends hardly more (TCP small queues),
and the line would be narrow instead of long. A packet that gets longer becomes a copy, and its sender is told that it
is gone. So each goes on to a second queue, longer than it was, and leaves that as it was."""

from __future__ import annotations

import collections
import gc
import os
import random
import select
import signal
import socket
import sys
import time
from typing import NamedTuple

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from linux import packet_queue, processes
from linux.boot_clock import now
from linux.packet_queue import ACCEPT, packet_of, verdict
from workers import worker_lifetime as lifetime

#: Behind the watchdog, before all others: it has little to do, and has to be punctual.
NICE = -9
MOST_PACKETS = 100_000
#: Taken before those that are due get their turn.
BATCH_PACKETS = 64
#: More than the kernel may have spare behind a packet, so that it has to copy it.
SPARE_BYTES = 1024
LONGEST_BYTES = 0xFFFF
MESSAGE_BYTES = 1 << 17
#: A timer that ends so much too early is on time.
EARLY_SECONDS = 0.0002
REPORT_SECONDS, REPORTS = 0.25, 5
LET_GO_SECONDS = 0.3


class Held(NamedTuple):
    due: float
    came: float
    number: int
    size: int
    #: As it is to leave, where it waits as a longer one.
    content: bytes | None


class Wander:
    """The delay goes from one random value to the next, never so fast that a packet would overtake the one before."""

    def __init__(self, latency: float, jitter: float) -> None:
        self.latency, self.jitter = latency, jitter
        self.leg_seconds = max(0.05, 4 * jitter)
        self.since = self.start = 0.0
        self.end = random.uniform(-jitter, jitter)

    def at(self, moment: float) -> float:
        if not self.jitter:
            return self.latency
        if moment - self.since > self.leg_seconds:
            self.since, self.start, self.end = moment, self.end, random.uniform(-self.jitter, self.jitter)
        return self.latency + self.start + (self.end - self.start) * (moment - self.since) / self.leg_seconds


class Report:
    """One line of always the same length, so that it can be written when /run is full: the time (boot clock), packets
    held now; milliseconds that the last one was held; of the last second the most milliseconds beyond what was asked,
    and how many packets passed without being held."""

    def __init__(self, path: str) -> None:
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.periods = collections.deque[tuple[float, int]](maxlen=REPORTS)
        self.delay = self.late = 0.0
        self.passed = 0
        self.written = 0.0

    def write(self, held: int) -> None:
        moment = now()
        if moment - self.written < REPORT_SECONDS:
            return
        self.periods.append((self.late, self.passed))
        if self.passed:
            print(f"{self.passed} packets passed without being held", file=sys.stderr, flush=True)
        late, passed = max(late for late, _ in self.periods), sum(passed for _, passed in self.periods)
        text = f"{moment:.3f} {held} {self.delay * 1000:.1f} {late * 1000:.1f} {passed}"
        os.pwrite(self.file, text.ljust(80).encode(), 0)
        self.late, self.passed, self.written = 0.0, 0, moment


class Line:
    def __init__(self, number: int, wander: Wander, most_bytes: int, report: Report) -> None:
        self.first, self.second = number, number + 1
        self.coming = packet_queue.opened(self.first, MOST_PACKETS, fails_open=True)
        self.waiting = packet_queue.opened(self.second, MOST_PACKETS + BATCH_PACKETS, fails_open=False)
        self.wander, self.report, self.most_bytes = wander, report, most_bytes
        self.held = collections.deque[Held]()
        self.bytes = self.expected = 0
        self.emptied = now()
        self.buffer = memoryview(bytearray(MESSAGE_BYTES))

    def carry(self, ending: int) -> None:
        """Until something is to be read from `ending`."""
        while True:
            wait = max(0.0, self.held[0].due - now()) if self.held else REPORT_SECONDS
            ready, _, _ = select.select([self.coming, ending], [], [], min(wait, REPORT_SECONDS))
            if ending in ready:
                return
            self.take()
            self.release(now() + EARLY_SECONDS)
            self.report.write(len(self.held))

    def take(self) -> None:
        for _ in range(BATCH_PACKETS):
            moment = now()
            found = self.receive(self.coming)
            if found is None:
                self.emptied = moment
                return
            number, content = found
            # Those between had no place in the socket's buffer: the kernel let them pass.
            self.report.passed += max(0, number - self.expected) if self.expected else 0
            self.expected = number + 1
            if len(self.held) >= MOST_PACKETS or self.bytes + len(content) > self.most_bytes:
                self.report.passed += 1
                self.coming.send(verdict(self.first, number, ACCEPT))
            else:
                self.hold(number, content, moment)
        # As long as it was never empty, nobody knows when they came.
        self.report.late = max(self.report.late, now() - self.emptied)

    def hold(self, number: int, content: bytes, came: float) -> None:
        size = 2 * len(content) + SPARE_BYTES
        longer = content.ljust(size, b"\0") if size <= LONGEST_BYTES else None
        self.coming.send(verdict(self.first, number, packet_queue.to_queue(self.second), longer))
        found = self.receive(self.waiting)
        if found is None:
            self.report.passed += 1
            return
        number, content = found
        own = length_of(content)
        due, was = came + self.wander.at(came), content[:own] if own < len(content) else None
        self.held.append(Held(due, came, number, own, was))
        self.bytes += own

    def release(self, until: float) -> None:
        """Those that are due then leave."""
        leaving, moment = list[Held](), now()
        while self.held and self.held[0].due <= until:
            leaving.append(self.held.popleft())
        if leaving:
            self.bytes -= sum(each.size for each in leaving)
            self.report.delay = moment - leaving[-1].came
            self.report.late = max(self.report.late, moment - leaving[0].due)
            packet_queue.send_all(
                self.waiting, (verdict(self.second, each.number, ACCEPT, each.content) for each in leaving)
            )

    def let_go(self) -> None:
        """All that is held leaves now, in its order, and what comes passes at once."""
        self.coming.send(packet_queue.length(self.first, 0))
        self.release(float("inf"))
        while True:
            found = self.receive(self.coming)
            if found is None:
                return
            self.coming.send(verdict(self.first, found[0], ACCEPT))

    def receive(self, channel: socket.socket) -> tuple[int, bytes] | None:
        """The next packet, None when there is none."""
        while True:
            try:
                channel.recv_into(self.buffer, 0, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return None
            found = packet_of(self.buffer)
            if found:
                return found


def length_of(content: bytes) -> int:
    """Of an IP packet, by its own word."""
    if content[0] >> 4 == 4:
        return int.from_bytes(content[2:4], "big")
    return 40 + int.from_bytes(content[4:6], "big")


def wake(_number: int, _frame: object) -> None:
    """What the signal does is to write to the wakeup descriptor."""


def main(number: int, latency_ms: int, jitter_ms: int, most_bytes: int, report: str) -> None:
    gc.disable()  # nothing here refers to itself
    processes.take_priority(NICE)
    ending, end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGTERM, wake)
    signal.set_wakeup_fd(end)

    def finish() -> None:
        os.write(end, b"\0")
        time.sleep(LET_GO_SECONDS)

    try:
        line = Line(number, Wander(latency_ms / 1000, jitter_ms / 1000), most_bytes, Report(report))
    except OSError as error:
        lifetime.refuse(f"the queues {number} and {number + 1}: {error.strerror or error}")
    line.report.write(0)
    lifetime.exit_with_parent(at_end=finish)
    lifetime.started()
    line.carry(ending)
    line.let_go()


main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
