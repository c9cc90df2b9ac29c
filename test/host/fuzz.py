"""Every parameter of the program beside it with values that must never be run, in one process: python's own audit
events tell of each command that would be started. `fuzz.py PROGRAM_DIRECTORY`; the environment holds valid
parameters. Prints one JSON object: how many values were tried, and what went wrong."""

import contextlib
import io
import json
import os
import random
import sys

sys.path.insert(0, sys.argv[1])
import parameters
import preflight
import watchdog
from refused import Refused

CANARY = "/run/holdfast-canary"
NASTY = [
    f"$(touch {CANARY})",
    f"`touch {CANARY}`",
    f";touch {CANARY};",
    f"|touch {CANARY}",
    f"&touch {CANARY}",
    f"\ntouch {CANARY}\n",
    f"PATH[$(touch {CANARY})]",
    f"x';touch {CANARY};'",
    f'x";touch {CANARY};"',
    f"1;touch {CANARY}",
    f"1\ntouch {CANARY}",
    "1\n",
    "${IFS}",
    "$IFS",
    "../../etc/passwd",
    "/../x",
    "-h",
    "--help",
    "-1",
    "-0",
    "+1",
    "0x10",
    "1e9",
    "1.5",
    " 1",
    "1 ",
    "٣",
    "１",  # noqa: RUF001 a digit that is none
    "ÿ",
    "\u202e",
    "🦓",
    "%s%n",
    "{{ssm:x}}",
    "*",
    "?",
    "~root",
    "#",
    "!!",
    "99999999999999999999999999",
    "-99999999999999999999",
    "0" * 5000,
    "1" * 5000,
    "A" * 70000,
    "\x7f",
    "\x01",
    "redis none",
    "KILL\n",
    "isolate,peers",
    ",",
    ",,",
    "1,",
    ",1",
    "0.0.0.0/0",
    "10.0.0.0/8",
    "::/0",
    "localhost",
    "127.0.0.1",
    "::1",
    "169.254.169.254",
]
LETTERS = "abcXYZ019 $`;|&<>()[]{}*?!~#'\"\\\n\t\r/.,:-_=+%@^éß漢🦓\u2028\x01\x7f"


def values(seed: str) -> list[str]:
    chance = random.Random(seed)
    made = ["".join(chance.choice(LETTERS) for _ in range(chance.randint(1, 24))) for _ in range(60)]
    numbers = [str(chance.randint(-(10**30), 10**30)) for _ in range(20)]
    return NASTY + made + numbers


def main() -> None:
    commands: list[str] = []
    watching = [False]

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        if watching[0] and event in (
            "subprocess.Popen",
            "os.exec",
            "os.system",
            "os.posix_spawn",
            "os.fork",
            "os.forkpty",
        ):
            commands.append(f"{event} {arguments[:2]!r:.200}")

    sys.addaudithook(hear)
    kind = preflight.kind_of_program()
    valid = {name[4:]: text for name, text in os.environ.items() if name.startswith("SSM_")}
    parameters.read_fault(kind)  # the valid ones are valid, or nothing below means anything
    tried = accepted = 0
    problems: list[str] = []
    for name in sorted(valid):
        for text in values(name):
            if "\0" in text:
                continue
            os.environ["SSM_" + name] = text
            try:
                parameters.read_fault(kind)
                accepted += 1  # a value like any other: what it does is the other tests' subject
                continue
            except Refused:
                pass
            finally:
                os.environ["SSM_" + name] = valid[name]
            for verb in ("inject", "revert", "status"):
                if verb != "inject" and name not in ("experimentId", "faultId"):
                    continue
                os.environ["SSM_" + name] = text
                out = io.StringIO()
                commands.clear()
                watching[0] = True
                try:
                    with contextlib.redirect_stdout(out):
                        code = watchdog.main([verb])
                finally:
                    watching[0] = False
                    os.environ["SSM_" + name] = valid[name]
                tried += 1
                answer = json.loads(out.getvalue())
                if code != 3 or answer["state"] != "REFUSED":
                    problems.append(f"{verb} {name}={text[:60]!r}: exit {code}, {answer['state']}")
                if (
                    not answer["reason"].split(":")[0].replace(" ", "").startswith(tuple(valid))
                    and "SSM_" not in answer["reason"]
                ):
                    problems.append(f"{verb} {name}={text[:60]!r}: does not name its field: {answer['reason'][:80]}")
                if commands:
                    problems.append(f"{verb} {name}={text[:60]!r}: started {commands}")
    if os.path.exists(CANARY):
        problems.append("a value was run")
    if os.path.isdir("/run/holdfast") and [entry for entry in os.listdir("/run/holdfast") if "." in entry]:
        problems.append(f"something was recorded: {os.listdir('/run/holdfast')}")
    print(json.dumps({"tried": tried, "accepted": accepted, "problems": problems[:20]}))


main()
