"""What both processes of the pair are: a half that says "alive" to the other one, notices its silence, and can walk the
way back alone."""
import json
import select
import signal
import socket
import time

import way_back
from lease import now
from store import FINAL, end_holder, log

TICK_SECONDS = 0.2
SILENCE_SECONDS = 1.2
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0


class WayBack(Exception):
    """The fault has to go; the text is the revert reason."""


class Half:
    """One process of the pair: its beats to the other one, and the other one's silence."""

    def __init__(self, store, state, channel, notifier=None):
        self.store = store
        self.state = state
        self.notifier = notifier
        self.said_at = 0.0
        self.values = state["values"]
        self.grace_seconds = int(self.values["leaseGraceSeconds"])
        self.channel = channel
        self.heard_at = self.ticked_at = now()
        self.terminated = False
        # What the poller tells the leash with each beat: when it last saw the lease advance, when the TTL ends.
        self.advanced_at = self.ends_at = None
        signal.signal(signal.SIGTERM, self.terminate)

    def terminate(self, *_):
        self.terminated = True

    def beat(self, wait_seconds=0.0):
        """Says "alive" and listens for so long. Raises WayBack when the other half is dead, silent or on its way back."""
        at = now()
        if at - self.ticked_at > TICK_SECONDS + 0.3:
            # We were the ones who stood still: give the other half a moment to be heard.
            self.heard_at = max(self.heard_at, at - SILENCE_SECONDS + TICK_SECONDS + 0.3)
        self.ticked_at = at
        if self.notifier:
            self.notifier.alive(at)
        try:
            # Somewhat less than a tick: a wait ends a moment early or late.
            if at - self.said_at >= 0.9 * TICK_SECONDS:
                self.said_at = at
                self.send("beat", advancedAt=self.advanced_at, endsAt=self.ends_at)
            while select.select([self.channel], [], [], max(0.0, at + wait_seconds - now()))[0]:
                message = self.channel.recv(4096)
                if not message:
                    raise WayBack("WATCHDOG_DIED")
                self.hear(json.loads(message))
        except ConnectionError:
            raise WayBack("WATCHDOG_DIED") from None
        if now() - self.heard_at > SILENCE_SECONDS or self.terminated:
            raise WayBack("WATCHDOG_DIED")

    def send(self, kind, **words):
        try:
            self.channel.send(json.dumps({"kind": kind, **words}).encode(), socket.MSG_DONTWAIT)
        except BlockingIOError:
            return  # the other half does not read: its silence will tell

    def hear(self, message):
        self.heard_at = now()
        if message["kind"] == "wayBack":
            raise WayBack(message["reason"])
        # Both only grow, so an old value that comes back to the poller cannot set it back.
        if message["endsAt"] is not None:
            self.advanced_at = max(self.advanced_at or 0.0, message["advancedAt"])
            self.ends_at = message["endsAt"]

    def check(self, extra_seconds=0.0):
        """The reasons both halves know."""
        if self.store.has_tombstone() or not self.store.exists():
            raise WayBack("ROLLBACK")
        if self.ends_at is None:
            return
        if now() >= self.ends_at:
            raise WayBack("TTL")
        if self.advanced_at is None or now() - self.advanced_at > self.grace_seconds + extra_seconds:
            raise WayBack("LEASE_LOST")

    def go_back(self, reason, sibling):
        """Ends when the fault is taken back and this is recorded."""
        try:
            self.send("wayBack", reason=reason)
        except ConnectionError:
            pass
        # If someone removes the record, what we remember is enough to take the fault back.
        state = {**self.state, "state": "APPLYING", "reason": "the record had been removed"}
        # Stopped or hung, the other half must not wake up in the middle of what we are taking back.
        take_back(self.store, reason, state, sibling if reason == "WATCHDOG_DIED" else None, self.notifier)


def take_back(store, reason, state, sibling=None, notifier=None):
    """Ends `sibling` (pid, start time), then walks the way back until it is done and recorded. Nobody else may be left to
    do it, so it never gives up: a fence that stays keeps clients away for as long."""
    pause_seconds = FIRST_PAUSE_SECONDS
    while True:
        if notifier:
            notifier.on_way_back()
        try:
            if sibling:
                end_holder(*sibling)
                sibling = None
        except OSError as error:
            log(f"way back: {error}")
        try:
            state = way_back.walk(store, reason, state)
            log(f"way back: {reason}: {state['state']} {state.get('reason', '')}")
            if not sibling and state["state"] in FINAL and way_back.record(store, state):
                return
        except Exception as error:  # whatever it is, the fault is still there
            log(f"way back: {type(error).__name__}: {error}")
        time.sleep(pause_seconds)
        pause_seconds = min(pause_seconds * 1.5, LONGEST_PAUSE_SECONDS)
