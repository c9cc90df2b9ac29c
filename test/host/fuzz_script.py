"""The script of the program beside it with values in its variables that no check has seen, one at a time, the others as
the program would set them: `fuzz_script.py PROGRAM_DIRECTORY VARIABLE…`; the environment holds valid parameters. Prints one
JSON object: how many runs there were, and which value was run as a command."""
import json
import os
import subprocess
import sys

PROGRAM, NAMES = sys.argv[1], sys.argv[2:]
sys.path.insert(0, PROGRAM)
CANARY = "/run/holdfast-canary"
# Arithmetic is where bash evaluates what it was only to compare: hence the index of a variable that is set.
NASTY = [
    f"$(touch {CANARY})", f"`touch {CANARY}`", f"1; touch {CANARY}", f"PATH[$(touch {CANARY})]", f"1\ntouch {CANARY}",
    f"'; touch {CANARY}; '", f'"; touch {CANARY}; "', f"-j DROP\nCOMMIT\n*filter\n-P INPUT ACCEPT",
]
# What the program itself puts there, never a sender.
OF_THE_PROGRAM = ("HOLDFAST_OWNER", "HOLDFAST_LIFE_FD", "HOLDFAST_ENDS_AT")


def valid_environment(kind):
    """As the program would call the script; where this host refuses the kind, a number in every variable."""
    import arming
    import parameters
    import scripts
    from parameters import Refused

    os.makedirs("/run/holdfast", exist_ok=True)
    try:
        state = {**arming.prepare(kind, parameters.read_fault(kind)), "endsAtSeconds": 0}
        return scripts.environment(state)
    except Refused as refusal:
        return {"PATH": os.environ["PATH"], "why": str(refusal), **{name: "1" for name in NAMES}}


def main():
    import arming

    kind = arming.kind_of_program(PROGRAM)
    environment = valid_environment(kind)
    runs, problems = 0, []
    for name in NAMES:
        if name in OF_THE_PROGRAM:
            continue
        for text in NASTY:
            for verb in ("status", "apply", "revert"):
                command = ["timeout", "-s", "KILL", "8", "bash", f"{PROGRAM}/faults/{kind}.sh", verb]
                subprocess.run(
                    command, env={**environment, name: text}, stdin=subprocess.DEVNULL, capture_output=True, check=False
                )
                runs += 1
                if os.path.exists(CANARY):
                    os.remove(CANARY)
                    problems.append(f"{verb} ran {name}={text!r}")
            subprocess.run(["bash", f"{PROGRAM}/faults/{kind}.sh", "revert"], env=environment, capture_output=True, check=False)
    print(json.dumps({"runs": runs, "problems": problems}))


main()
