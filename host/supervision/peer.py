"""What both processes of a pair are: decisions of decide.py, carried out on a channel, files and a clock."""

from __future__ import annotations

import os
import select
import signal
import time
from collections import deque
from collections.abc import Callable
from types import FrameType

import log
import revert
from fault_files import FaultFiles
from lease import Lease
from linux import processes
from linux.boot_clock import now
from linux.processes import ProcessId
from record import FINAL, FaultRecord, State
from supervision import decide, trace, verbs
from supervision.channel import Channel
from supervision.unit import Notifier

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0


class Leaving(Exception):
    """The decision that ends the watching."""

    def __init__(self, decision: decide.Revert | decide.Refuse) -> None:
        super().__init__(decision.reason)
        self.decision = decision


class Peer:
    """One process of the pair."""

    def __init__(
        self,
        files: FaultFiles,
        record: FaultRecord,
        channel: Channel,
        is_runner: bool,
        notifier: Notifier | None = None,
    ) -> None:
        self.files = files
        self.record = record
        self.channel = channel
        self.notifier = notifier
        grace, ttl = float(record.values["leaseGraceSeconds"]), float(record.values["ttlSeconds"])
        lease = Lease(record.experiment_id, record.grant)
        self.state = decide.begin(is_runner, grace, ttl, lease, now())
        #: Events of other threads, who write a byte to the pipe after them.
        self.arrived: deque[decide.Event] = deque()
        self.wake_end, self.wakes = os.pipe()
        for end in (self.wake_end, self.wakes):
            os.set_blocking(end, False)
        #: Every time a process wakes up costs. What the peer says can wait for the next tick, its end cannot.
        self.poll = select.poll()
        self.poll.register(channel, 0)
        self.poll.register(self.wake_end, select.POLLIN)
        signal.signal(signal.SIGTERM, self.terminate)

    def terminate(self, _number: int, _frame: FrameType | None) -> None:
        self.arrive(decide.Terminated())

    def arrive(self, event: decide.Event) -> None:
        """From another thread, or a signal."""
        self.arrived.append(event)
        try:
            os.write(self.wakes, b"\0")
        except BlockingIOError:
            return  # awake anyway

    def feed(self, event: decide.Event) -> list[decide.Effect]:
        """Carries out what every process can; gives back the rest. Raises Leaving."""
        self.state, effects = trace.stepped("peer", decide.step, self.state, event, now())
        rest: list[decide.Effect] = []
        for effect in effects:
            if isinstance(effect, decide.Say):
                try:
                    self.channel.say(effect)
                except ConnectionError:
                    rest += self.feed(decide.PeerClosed())
            elif isinstance(effect, (decide.Revert, decide.Refuse)):
                raise Leaving(effect)
            else:
                rest.append(effect)
        return rest

    def look(self, is_waiting: bool = False) -> list[decide.Effect]:
        """All that has happened since the last look, and the time, as often as it is wanted: a wait that an event has
        ended says nothing new of tombstones and deadlines."""
        effects: list[decide.Effect] = []
        while self.arrived:
            effects += self.feed(self.arrived.popleft())
        while select.select([self.channel], [], [], 0)[0]:
            effects += self.feed(self.channel.hear())
        if self.notifier:
            self.notifier.alive(now())
        if not is_waiting or now() - self.state.ticked_at >= decide.SAY_SECONDS or now() >= decide.deadline(self.state):
            effects += self.feed(decide.Tick(self.files.has_tombstone(), self.files.exists()))
        return effects

    def wait(self, seconds: float = decide.TICK_SECONDS) -> list[decide.Effect]:
        """Until something happens, at most so long."""
        ready = self.poll.poll(1000 * min(seconds, max(0.0, decide.deadline(self.state) - now())))
        if (self.wake_end, select.POLLIN) in ready:
            os.read(self.wake_end, 4096)
        return self.look(is_waiting=True)

    def leave(self, decision: decide.Revert, peer: ProcessId) -> None:
        """Ends when the fault is reverted and this is recorded."""
        self.channel.say_revert(decision.reason)
        try:
            remembered = self.files.read()
        except OSError as error:
            log.say(str(error))
            remembered = None
        if remembered is None:
            # What we remember is from when it was armed, and enough to revert the fault: it may have been applied
            # since.
            remembered = self.record
            remembered.state, remembered.reason = State.APPLYING, "the record had been removed"
        revert_until_done(self.files, decision.reason, remembered, peer if decision.ends_peer else None, self.notifier)


def revert_until_done(
    files: FaultFiles,
    reason: str,
    remembered: FaultRecord,
    peer: ProcessId | None = None,
    notifier: Notifier | None = None,
) -> None:
    """Ends `peer`, then reverts until it is done and recorded. Nobody else may be left to do it, so it never gives
    up: a fence that stays keeps clients away for as long."""
    pause_seconds = FIRST_PAUSE_SECONDS
    while True:
        if notifier:
            notifier.reverting()
        try:
            if peer:
                verbs.end_owner(peer)
                peer = None
        except OSError as error:
            log.say(f"revert: {error}")
        try:
            verbs.end_commands(processes.identify(os.getpid()))
            record = revert.run(files, reason, remembered)
            if record is None:
                return
            remembered = record
            log.say(f"revert: {reason}: {record.state.value} {record.reason or ''}")
            if not peer and record.state in FINAL and revert.is_recorded(files, record):
                return
        except Exception as error:  # whatever it is, the fault is still there
            log.say(f"revert: {type(error).__name__}: {error}")
        time.sleep(pause_seconds)
        pause_seconds = min(pause_seconds * 1.5, LONGEST_PAUSE_SECONDS)


def run(body: Callable[[], None]) -> None:
    """What a process did not foresee, its peer reverts."""
    try:
        body()
    except BaseException as error:  # the process ends here either way; the log is all that is left to tell
        log.say(f"died: {type(error).__name__}: {error}")
        os._exit(1)
    os._exit(0)
