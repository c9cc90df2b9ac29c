"""The verbs of the fault of the program beside it with values that no check has seen, one at a time, the others as
the program would have them: `fuzz_verbs.py PROGRAM_DIRECTORY`; the environment holds valid parameters. Prints one
JSON object: how many runs there were, and which value was run as a command."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys

sys.path.insert(0, sys.argv[1])
import faults
import parameters
import preflight
import specification
from faults import Fault, Pipes
from record import FaultRecord, State
from refused import Refused
from supervision import verbs

os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CANARY = "/run/holdfast-canary"
NASTY = [
    f"$(touch {CANARY})", f"`touch {CANARY}`", f"1; touch {CANARY}", f"PATH[$(touch {CANARY})]", f"1\ntouch {CANARY}",
    f"'; touch {CANARY}; '", f'"; touch {CANARY}; "', "-j DROP\nCOMMIT\n*filter\n-P INPUT ACCEPT",
    f"x\nexec touch {CANARY}", "-h", "--modprobe=/run/files/canary",
]  # fmt: skip


def valid_record(kind: str) -> FaultRecord:
    """As the program would make it; where this host refuses the kind, without what it would have found out."""
    values = parameters.read_fault(kind)
    os.makedirs("/run/holdfast", exist_ok=True)
    try:
        return preflight.prepare(kind, values)
    except Refused:
        digests = "0" * 12, "1" * 12
        resource = specification.RESOURCES[kind]
        record = FaultRecord(values["faultId"], "i-1", kind, resource, State.APPLYING, values, *digests)
        record.families = ["4"]
        return record


def run(fault: Fault, record: FaultRecord) -> int:
    """Each verb once; whether it fails is not the question."""
    runs = 0
    for verb in ("status", "apply", "observe", "revert"):
        life, life_end = os.pipe()
        word_end, word = os.pipe()
        acts = {
            "status": lambda: fault.status(record),
            "apply": lambda: fault.apply(record, Pipes(life, word), 4),  # noqa: B023 it is run at once
            "observe": lambda: dataclasses.asdict(fault.observe(record, provokes=True))["value"],
            "revert": lambda: fault.revert(record),
        }
        with contextlib.suppress(OSError, Refused):
            verbs.run(verb, acts[verb], 8)
        runs += 1
        # Workers end with the pipe.
        for end in (life, life_end, word, word_end):
            os.close(end)
    return runs


def main() -> None:
    kind = preflight.kind_of_program()
    fault = faults.load(kind)
    record = valid_record(kind)
    runs = 0
    problems: list[str] = []
    for name in sorted(record.values):
        for text in NASTY:
            poisoned = dataclasses.replace(record, values={**record.values, name: text})
            runs += run(fault, poisoned)
            if os.path.exists(CANARY):
                os.remove(CANARY)
                problems.append(f"ran {name}={text!r}")
            with contextlib.suppress(OSError):
                verbs.run("revert", lambda: fault.revert(record))
    for name in ("peers", "exempt", "fault_id"):
        for text in NASTY:
            changed = [text] if name in ("peers", "exempt") else text
            runs += run(fault, dataclasses.replace(record, **{name: changed}))
            if os.path.exists(CANARY):
                os.remove(CANARY)
                problems.append(f"ran {name}={text!r}")
    with contextlib.suppress(OSError):
        verbs.run("revert", lambda: fault.revert(record))
    print(json.dumps({"runs": runs, "names": len(record.values), "problems": problems}))


main()
