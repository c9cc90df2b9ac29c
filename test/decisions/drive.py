"""`drive.py PROGRAM_DIRECTORY`: makes decisions of the host program. Each line of stdin is a JSON list of runs, each
{machine, state, steps: [{event, at, phases}]} in the encoding of supervision/trace.py; each line of stdout is the list
of their answers: for every step {state, effects}, or null where the process was in none of the `phases` that such an
event can come in. A run of a peer may have {begin: arguments} in place of a state, and tells its `deadline` as well.

A reversal that pauses, or a step of one that `keeps`, answers with `kept` as well: what of its state is still known
when it was recorded and all who knew it are dead. The line "examples" asks for values of all types that a trace may
name, and whether they are the same when they were read."""

from __future__ import annotations

import dataclasses
import json
import sys
from enum import Enum
from typing import Any

sys.path.insert(0, sys.argv[1])
import record as records
import revert
from lease import Lease
from linux.processes import ProcessId
from machines import MACHINES, TYPES, decoded
from record import Counting, FaultRecord, Fence, State
from supervision import decide, reversal, trace

PAUSES = ((), (reversal.Action.SETTLE,))
SOMETHING = "2026-01-01T00:00:00.000Z"


def started(run: dict[str, Any]) -> Any:
    if "begin" in run:
        is_runner, grace, ttl, grant, at = run["begin"]
        return decide.begin(is_runner, grace, ttl, Lease("exp_1", grant), at)
    return decoded(run["state"])


def answers(run: dict[str, Any]) -> list[Any]:
    state, given = started(run), list[Any]()
    for step in run["steps"]:
        if "phases" in step and state.phase.value not in step["phases"]:
            given.append(None)
            continue
        event = decoded(step["event"])
        before, at = state, step["at"]
        state, effects = trace.stepped(run["machine"], MACHINES[run["machine"]], before, event, at)
        answer: dict[str, Any] = {"effects": trace.encoded(effects)["items"]}
        if not run.get("brief"):
            answer["state"] = trace.encoded(state)
        if run["machine"] == "peer":
            answer["deadline"] = decide.deadline(state)
        if step.get("keeps") or (run["machine"] == "reversal" and effects in PAUSES):
            answer["kept"] = trace.encoded(kept(before, state))
        given.append(answer)
    return given


def kept(before: reversal.Reversal, after: reversal.Reversal) -> reversal.Reversal:
    """`after`, written to the record of `before` and read from it."""
    record = record_of(before)
    revert.keep(record, after)
    if after.has_leftovers != before.has_leftovers:
        record.leftovers = ["a rule"] if after.has_leftovers else []
    return reversal.of_record(records.from_json(json.loads(json.dumps(records.to_json(record)))))


def record_of(state: reversal.Reversal) -> FaultRecord:
    values = {"fence": "redis" if state.is_fenced else "none"}
    record = FaultRecord("exp_1.1", "i-1", "network-partition", "network", state.state, values, "d" * 12, "e" * 12)
    record.reason, record.revert_reason, record.lifted_at_seconds = state.reason, state.revert_reason, state.lifted_at
    record.lifted_at = SOMETHING if state.lifted_at is not None else None
    record.leftovers = ["a rule"] if state.has_leftovers else []
    record.fence = Fence(
        state.outcome,
        SOMETHING if state.raised_at is not None else None,
        SOMETHING if state.is_lowered and state.raised_at is not None else None,
        state.raised_at,
        is_raised=state.is_raised,
        in_doubt=state.in_doubt,
    )
    return record


def examples() -> list[Any]:
    """A value of every type that a trace may name."""
    return [each for kind in TYPES.values() for each in (kind if issubclass(kind, Enum) else example(kind))]


def example(kind: type[Any]) -> list[Any]:
    """With something else in each field, whatever belongs there."""
    if not dataclasses.is_dataclass(kind):
        return []
    odd = (1.5, None, "é \n", True, ProcessId(7, "11"), State.FAILED, Counting.TOTAL, ("a", ("b", None)), {"k": (1,)})
    return [kind(**{each.name: odd[place % len(odd)] for place, each in enumerate(dataclasses.fields(kind))})]


def told(value: Any) -> dict[str, Any]:
    text = json.dumps(trace.encoded(value))
    again = decoded(json.loads(text))
    is_same = repr(again) == repr(value) and json.dumps(trace.encoded(again)) == text
    return {"type": type(value).__name__, "isSame": is_same}


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        said = [told(each) for each in examples()] if asked == "examples" else [answers(run) for run in asked]
        print(json.dumps(said), flush=True)


main()
