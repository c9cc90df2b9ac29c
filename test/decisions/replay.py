"""`replay.py PROGRAM_DIRECTORY TRACE`: makes every decision of a trace (HOLDFAST_TRACE) again, with the program that
made it. Prints one JSON object: how many decisions each machine made, and each line that does not tell what the
program decides now, or that does not begin where the last decision of its process has ended."""

from __future__ import annotations

import json
import sys
from typing import Any

sys.path.insert(0, sys.argv[1])
from machines import BEGINNINGS, MACHINES, decoded
from supervision import trace

FIELDS = {"pid", "machine", "state", "event", "at", "after", "effects"}


def read(text: str) -> dict[str, Any]:
    line = json.loads(text)
    if set(line) != FIELDS:
        raise ValueError(f"not the fields of a decision: {sorted(line)}")
    return line


def problem(line: dict[str, Any], last: dict[tuple[int, str], Any]) -> str | None:
    """What is wrong with a decision. `last` is how those before it have ended, by process and machine."""
    event, who = decoded(line["event"]), (line["pid"], line["machine"])
    before = last.get(who)
    last[who] = line["after"]
    if before is not None and not isinstance(event, BEGINNINGS) and line["state"] != before:
        return f"begins with {json.dumps(line['state'])}, the last one ended with {json.dumps(before)}"
    after, effects = MACHINES[line["machine"]](decoded(line["state"]), event, line["at"])
    again = {"after": trace.encoded(after), "effects": trace.encoded(effects)}
    for name, value in again.items():
        if line[name] != value:
            return f"{name} is now {json.dumps(value)}"
    return None


def main() -> None:
    with open(sys.argv[2], encoding="utf-8") as file:
        *whole, rest = file.read().split("\n")
    counts, problems = dict.fromkeys(MACHINES, 0), list[str]()
    last: dict[tuple[int, str], Any] = {}
    for number, text in enumerate(whole, 1):
        try:
            line = read(text)
            found = problem(line, last)
            counts[line["machine"]] += 1
        except (KeyError, TypeError, ValueError) as error:
            found = f"{type(error).__name__}: {error}"
        if found:
            problems.append(f"line {number}: {found}: {text}")
    # A process that is killed may have written half a line, the last one of all.
    print(json.dumps({"counts": counts, "problems": problems, "isCut": rest != ""}))


main()
