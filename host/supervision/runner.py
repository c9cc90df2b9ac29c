"""The process of the pair that reads the lease and applies the fault."""

from __future__ import annotations

import os
import select
import time
from dataclasses import replace
from typing import Any

import engines
import faults
import lease as leases
import revert
import snapshot
from bounds import KILL_SWITCH_ID
from faults import Effect, Pipes
from lease_table import Reader
from linux import boot_clock, processes, worker_processes
from linux.boot_clock import now
from linux.processes import ProcessId
from record import Counting, State, effect_from_json, encoded
from refused import Refused
from supervision import decide, lock, verbs
from supervision.decide import Phase
from supervision.peer import Leaving, Peer

#: A worker that has not said that it is ready by then hangs.
READY_SECONDS = 4.0
WORD_BYTES = 4096
LOOK_SECONDS = 0.05
OBSERVE_SECONDS = 3.0


class Runner:
    def __init__(self, peer: Peer, supervisor: ProcessId) -> None:
        self.peer = peer
        self.supervisor = supervisor
        self.fault = faults.load(peer.record.kind)
        record = peer.record
        self.reader = Reader(record.lease_table, record.experiment_id, record.region, self.answered, self.failed)
        # Nobody but us has the end that is written to: when we die, the workers read the end of the pipe.
        self.life, self.life_end = os.pipe()
        #: What was amiss when it last looked at the effect.
        self.last_look = ""

    def answered(self, sent_at: float, answer: dict[str, Any]) -> None:
        rows = leases.rows_of(answer, self.peer.record.lease_table)
        own, everyone = rows.get(self.peer.record.experiment_id), rows.get(KILL_SWITCH_ID)
        self.peer.arrive(decide.LeaseRead(sent_at, own, everyone))

    def failed(self, problem: str) -> None:
        self.peer.arrive(decide.LeaseUnread(problem))

    def run(self) -> None:
        self.reader.start()
        try:
            effects: list[decide.Effect] = []
            while True:
                for effect in effects:
                    self.carry_out(effect)
                effects = self.peer.wait()
                if self.peer.record.workers and self.peer.state.phase is Phase.HOLDING:
                    effects += self.peer.feed(decide.WorkersSeen(self.workers_are_alive()))
        except Leaving as leaving:
            if isinstance(leaving.decision, decide.Revert):
                self.peer.leave(leaving.decision, self.supervisor)
            else:
                self.refuse(leaving.decision.reason)

    def carry_out(self, effect: decide.Effect) -> None:
        if isinstance(effect, decide.Check):
            self.apply()
        elif isinstance(effect, decide.Refresh):
            self.refresh(effect.seconds)
        elif isinstance(effect, decide.Look):
            self.look(effect.provokes)

    def tick(self) -> None:
        """While a verb runs, or a lock is waited for."""
        for effect in self.peer.look():
            if isinstance(effect, decide.Refresh):
                self.refresh(effect.seconds)

    def refuse(self, reason: str) -> None:
        record = self.peer.record
        with lock.hold(record.resource):
            found = self.peer.files.read()
            if found and found.state in (State.ARMING, State.APPLYING):
                found.state, found.reason = State.REFUSED, reason
                self.peer.files.write(found)

    def apply(self) -> None:
        """Under the lock of the resource: what nobody else may do meanwhile. Then, without it: the effect is waited
        for."""
        peer = self.peer
        word_end, word = os.pipe()
        try:
            with lock.hold(peer.record.resource, tick=self.tick):
                self.apply_under_lock(Pipes(self.life, word))
            os.close(word)
            counted = self.hear_workers(word_end)
            peer.feed(decide.Changed(counted))
            self.confirm()
        except OSError as error:
            if peer.state.phase is Phase.LEAVING:
                raise
            self.fail(str(error))
        finally:
            os.close(word_end)

    def apply_under_lock(self, pipes: Pipes) -> None:
        peer, files = self.peer, self.peer.files
        record = files.read() or peer.record
        peer.record = record
        if record.is_fenced:
            engine = engines.load(record.engine)
            record.engine_facts = verbs.run("engine", lambda: engine.remember(record), tick=self.tick)
        record.before = snapshot.taken(
            verbs.run("snapshot", lambda: snapshot.as_json(snapshot.take(record)), revert.SNAPSHOT_SECONDS, self.tick)
        )
        with lock.hold(lock.REGISTRATION, tick=self.tick):
            if files.has_tombstone():
                raise Leaving(decide.Refuse("it was reverted before"))
            # Another fault may have been armed while it was not known that we live.
            conflict = files.conflict(record.experiment_id, record.resource, record.peers)
            if conflict:
                raise Leaving(decide.Refuse(conflict))
            (effect,) = peer.feed(decide.Checked())
            assert isinstance(effect, decide.Apply)
            record.state, record.ends_at_seconds = State.APPLYING, effect.ends_at
            record.fence.is_armed = record.is_fenced and record.ends_in_kernel and self.fault.uses_packet_filter(record)
            files.write(record)
        seconds = round(peer.state.grace_seconds) + 1
        try:
            verbs.run(f"{record.kind} apply", lambda: self.change(pipes, seconds), tick=self.tick)
        except Refused as refusal:
            raise OSError(str(refusal)) from None

    def change(self, pipes: Pipes, seconds: int) -> None:
        """The verb, in a process of its own."""
        record = self.peer.record
        if record.fence.is_armed:
            revert.fence_of(record).arm(seconds)
        self.fault.apply(record, pipes, seconds)
        # It may have taken long: all of it ends together from now on.
        if record.fence.is_armed:
            revert.fence_of(record).refresh(seconds)
        self.fault.refresh(record, seconds)

    def fail(self, reason: str) -> None:
        """Raises Leaving."""
        self.peer.record.reason = reason
        revert.attempt(self.write_reason, reason)
        self.peer.feed(decide.ApplyFailed())

    def write_reason(self, reason: str) -> None:
        with lock.hold(self.peer.record.resource, tick=None):
            found = self.peer.files.read()
            if found and found.state is State.APPLYING:
                found.reason = reason
                self.peer.files.write(found)

    def hear_workers(self, word_end: int) -> float:
        """Waits until they are ready, and says what they have counted by then. Raises OSError with what they say
        instead."""
        wanted = self.fault.workers(self.peer.record)
        if not wanted:
            return 0.0
        text, until = b"", now() + READY_SECONDS
        while b"\n" not in text:
            if now() > until:
                raise OSError("the workers are not ready in time")
            if select.select([word_end], [], [], 0.02)[0]:
                data = os.read(word_end, WORD_BYTES)
                if not data:
                    break
                text += data
            self.tick()
        said = text.decode(errors="replace").strip()
        if said.split(" ")[0] != "ready":
            raise OSError(f"workers: {said or 'they ended before they were ready'}")
        self.peer.record.facts["ready"] = said.partition(" ")[2]
        self.peer.record.workers = worker_processes.find(self.peer.record.fault_id)
        if len(self.peer.record.workers) < wanted:
            raise OSError(f"{len(self.peer.record.workers)} of {wanted} workers live")
        seen = self.fault.observe(self.peer.record, provokes=False)
        return seen.value if seen.counting is Counting.TOTAL else 0.0

    def confirm(self) -> None:
        """Looks until the effect is there. Raises OSError, or Leaving when it does not come."""
        provokes = False
        while self.peer.state.phase is Phase.CONFIRMING:
            effects = self.see(provokes)
            provokes = any(isinstance(effect, decide.Look) for effect in effects)
            if any(isinstance(effect, decide.Confirm) for effect in effects):
                return self.be_applied()
            time.sleep(LOOK_SECONDS)
            self.tick()
        return None

    def see(self, provokes: bool) -> list[decide.Effect]:
        """Looks at the effect, and decides what comes of it."""
        try:
            seen = self.observe(provokes)
        except OSError as error:
            self.last_look = f"no effect can be seen: {error}"
            return self.decide_effect(decide.EffectSeen(None, Counting.LEVEL))
        # Of what is counted there has to be more each time.
        self.last_look = f"no effect can be seen beyond {seen.measure} {seen.value:g} {seen.unit}"
        return self.decide_effect(decide.EffectSeen(seen.value, seen.counting), seen)

    def observe(self, provokes: bool) -> Effect:
        """Without IP sets a command has to be asked, which may take its time."""
        record = self.peer.record
        if not self.fault.uses_packet_filter(record) or record.ends_in_kernel:
            return self.fault.observe(record, provokes)
        data = verbs.run("observe", lambda: encoded(self.fault.observe(record, provokes)), OBSERVE_SECONDS, self.tick)
        return effect_from_json(data)

    def decide_effect(self, event: decide.EffectSeen, seen: Effect | None = None) -> list[decide.Effect]:
        try:
            effects = self.peer.feed(event)
        except Leaving as leaving:
            if isinstance(leaving.decision, decide.Revert):
                self.remember_loss(leaving.decision.reason)
            raise
        if seen and self.peer.state.looks_without_effect == 0 and seen.value > 0:
            # By the clock of the lease: the host's own may be what the fault has changed.
            self.peer.record.effect = replace(seen, observed_at=boot_clock.utc(self.reader.clock.utc()))
            revert.attempt(self.peer.files.write_effect, self.peer.record.effect)
        return effects

    def remember_loss(self, reason: str) -> None:
        if reason == "EFFECT_LOST":
            at = boot_clock.utc(self.reader.clock.utc())
            revert.attempt(self.peer.files.write_effect_lost, at, self.last_look)
        else:
            revert.attempt(self.write_reason, self.last_look)

    def be_applied(self) -> None:
        record, files = self.peer.record, self.peer.files
        with lock.hold(record.resource, tick=self.tick):
            found = files.read()
            if found is None or found.state is not State.APPLYING or files.has_tombstone():
                raise Leaving(decide.Revert("ROLLBACK", ends_peer=False))
            record.state, record.reason = State.APPLIED, None
            record.applied_at = boot_clock.utc(self.reader.clock.utc())
            files.write(record)

    def refresh(self, seconds: float) -> None:
        """Never beside a revert, which has just let run out what this would give new life."""
        record, whole = self.peer.record, round(seconds)
        try:
            with lock.hold(record.resource, now_or_never=True):
                if self.peer.files.has_tombstone():
                    return
                if record.fence.is_armed:
                    revert.fence_of(record).refresh(whole)
                self.fault.refresh(record, whole)
        except OSError:
            return  # the look at the effect tells

    def look(self, provokes: bool) -> None:
        for effect in self.see(provokes):
            self.carry_out(effect)

    def workers_are_alive(self) -> bool:
        """A fault whose worker is dead or stopped is not the fault that was asked for."""
        return all(processes.is_alive(each) and not processes.is_stopped(each) for each in self.peer.record.workers)


def run(peer: Peer, supervisor: ProcessId) -> None:
    Runner(peer, supervisor).run()
