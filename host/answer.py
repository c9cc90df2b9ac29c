"""What a host says of a fault: one line of JSON. Systems Manager keeps the first 24,000 characters of it."""

from __future__ import annotations

import json
from typing import Any

from record import FaultRecord, State, encoded

#: Below what Systems Manager keeps, with room for what its agent says beside it.
MOST_CHARACTERS = 22_000
#: What may be cut, and in this order: evidence of others' doing first.
LISTS = ("changes", "undo", "leftovers", "notes")
MOST_OF_A_TEXT = 1000


def of_record(record: FaultRecord) -> dict[str, Any]:
    """The contract's part of a record (docs/contracts.md, *What a host answers*)."""
    state = State.ARMING if record.state is State.APPLYING else record.state
    fence = {"outcome": record.fence.outcome, "raisedAt": record.fence.raised_at, "loweredAt": record.fence.lowered_at}
    effect = record.effect and {
        "measure": record.effect.measure, "value": record.effect.value, "unit": record.effect.unit,
        "observedAt": record.effect.observed_at,
    }  # fmt: skip
    shown = {
        "faultId": record.fault_id, "instanceId": record.instance_id, "state": state, "reason": record.reason,
        "appliedAt": record.applied_at, "liftedAt": record.lifted_at, "revertReason": record.revert_reason,
        "effect": effect, "effectLostAt": record.effect_lost_at, "notes": record.notes,
        "fence": {name: value for name, value in fence.items() if value is not None},
        "undo": record.undo, "leftovers": record.leftovers, "changes": record.changes,
    }  # fmt: skip
    return {name: encoded(value) for name, value in shown.items() if value is not None}


def bare(fault_id: str, state: str, reason: str | None = None, instance_id: str | None = None) -> dict[str, Any]:
    """Where there is no record."""
    said: dict[str, Any] = {"faultId": fault_id[:64], "state": state, "fence": {"outcome": "NONE"}}
    said.update(undo=[], leftovers=[])
    if reason is not None:
        said["reason"] = reason
    if instance_id is not None:
        said["instanceId"] = instance_id
    return said


def line(said: dict[str, Any]) -> str:
    """As JSON in ASCII, so that bytes are characters; lists give up lines until it fits."""
    shown = {name: value[:MOST_OF_A_TEXT] if isinstance(value, str) else value for name, value in said.items()}
    for name in LISTS:
        lines = [each[:MOST_OF_A_TEXT] for each in shown.get(name, [])]
        if name in shown:
            shown[name] = lines
        kept = len(lines)
        while kept and len(json.dumps(shown)) > MOST_CHARACTERS:
            # In strides first: a host may have thousands of rules.
            kept -= max(1, kept // 8)
            shown[name] = [*lines[:kept], f"and {len(lines) - kept} more"]
    return json.dumps(shown)
