"""What a host knows of its lease. Pure: fed with answers of the lease table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from bounds import KILL_SWITCH_ID


@dataclass(frozen=True)
class Row:
    """One row of the lease table, as far as it could be read."""

    state: str | None
    beat: int | None
    grants: tuple[str, ...]


@dataclass(frozen=True)
class Lease:
    experiment_id: str
    #: What the row has to grant: this host with these parameters.
    grant: str
    highest_beat: int | None = None
    #: How often the beat was seen to advance.
    advances: int = 0
    #: When the last poll that saw it advance was sent.
    advanced_at: float | None = None
    #: The revert reason, once it is released.
    released: str | None = None
    #: What the last answer lacked, or None when nothing.
    missing: str | None = "the lease was not read"


def rows_of(answer: dict[str, Any], table: str) -> dict[str, Row]:
    """{lease id: row} of an answer to BatchGetItem."""
    found: dict[str, Row] = {}
    for item in answer.get("Responses", {}).get(table, []):
        beat = item.get("beat", {}).get("N")
        found[item.get("leaseId", {}).get("S", "")] = Row(
            item.get("state", {}).get("S"),
            int(beat) if beat is not None else None,
            tuple(item.get("grants", {}).get("SS", [])),
        )
    return found


def read(lease: Lease, own: Row | None, everyone: Row | None, sent_at: float) -> Lease:
    """A released row counts whatever else is missing; an advance needs both rows, HOLD, our grant, a higher beat. Other
    answers are ignored: they neither renew nor end."""
    released = lease.released
    if everyone and everyone.state == "RELEASED":
        released = "KILL_SWITCH"
    elif own and own.state == "RELEASED":
        released = released or "LEASE_RELEASED"
    lease = replace(lease, released=released, missing=missing(lease, own, everyone))
    if lease.missing or own is None or own.beat is None:
        return lease
    if lease.highest_beat is not None and own.beat > lease.highest_beat:
        lease = replace(lease, advances=lease.advances + 1, advanced_at=sent_at)
    return replace(lease, highest_beat=max(own.beat, lease.highest_beat or 0))


def missing(lease: Lease, own: Row | None, everyone: Row | None) -> str | None:
    if own is None:
        return f"the lease table has no row {lease.experiment_id}"
    if everyone is None:
        return f"the lease table has no row {KILL_SWITCH_ID}"
    for name, row in ((lease.experiment_id, own), (KILL_SWITCH_ID, everyone)):
        if row.state != "HOLD":
            return f"row {name} is not HOLD"
    if own.beat is None:
        return "the lease has no beat"
    if lease.grant not in own.grants:
        return "the lease grants nothing to this host with these parameters"
    return None


def is_held(lease: Lease) -> bool:
    """May the fault be applied? HOLD, granted, and the guard was seen alive twice since we began to look."""
    return not lease.released and not lease.missing and lease.advances >= 2


def is_lost(lease: Lease, at: float, grace_seconds: float) -> bool:
    return lease.advanced_at is None or at - lease.advanced_at > grace_seconds
