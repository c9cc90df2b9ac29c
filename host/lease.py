"""The boot clock, and what a host knows of its lease."""
import time

from bounds import KILL_SWITCH_ID


def now():
    """Seconds that no one can set and that go on while the machine is suspended: a resumed host must not believe that
    its fault is young."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class LeaseView:
    """What this host knows of its lease. Pure: fed with answers, asked with a time."""

    def __init__(self, experiment_id, grant):
        self.experiment_id = experiment_id
        self.grant = grant
        self.highest_beat = None
        self.advances = 0
        self.advanced_at = None
        self.released = None
        self.missing = "the lease was not read"

    def feed(self, answer, sent_at, table):
        """A released row counts whatever else is missing; an advance needs both rows, HOLD, our grant, a higher beat.
        Anything else is no news: it neither renews nor ends."""
        items = answer.get("Responses", {}).get(table, [])
        rows = {row.get("leaseId", {}).get("S"): row for row in items}
        own, everyone = rows.get(self.experiment_id), rows.get(KILL_SWITCH_ID)
        if everyone and everyone.get("state", {}).get("S") == "RELEASED":
            self.released = "KILL_SWITCH"
        elif own and own.get("state", {}).get("S") == "RELEASED":
            self.released = self.released or "LEASE_RELEASED"
        self.missing = self.why_not(own, everyone)
        if self.missing:
            return
        beat = int(own["beat"]["N"])
        if self.highest_beat is not None and beat > self.highest_beat:
            self.advances += 1
            self.advanced_at = sent_at
        self.highest_beat = max(beat, self.highest_beat or 0)

    def why_not(self, own, everyone):
        if not own:
            return f"the lease table has no row {self.experiment_id}"
        if not everyone:
            return f"the lease table has no row {KILL_SWITCH_ID}"
        for row in (own, everyone):
            if row.get("state", {}).get("S") != "HOLD":
                return f"row {row['leaseId']['S']} is not HOLD"
        if "N" not in own.get("beat", {}):
            return "the lease has no beat"
        if self.grant not in own.get("grants", {}).get("SS", []):
            return "the lease grants nothing to this host with these parameters"
        return None

    def watched(self):
        """May the fault be applied? HOLD, granted, and the guard was seen alive twice since we began to look."""
        return not self.released and not self.missing and self.advances >= 2

    def lost(self, at, grace_seconds):
        return self.advanced_at is None or at - self.advanced_at > grace_seconds
