#!/usr/bin/python3
"""Stands in for systemd's `systemctl` on a lab host: the commands the host program uses, asked of host-init.py.

    show -p MainPID|Restart|ActiveState --value UNIT | is-active UNIT | start UNIT | stop UNIT | restart UNIT

Everything else is refused with exit 1: a command that silently does nothing would make a fault or its undo a lie.
"""

from __future__ import annotations

import json
import socket
import sys

SOCKET = "/run/lab-systemctl.sock"
PROPERTIES = ("MainPID", "Restart", "ActiveState")
SHOW = f"`show -p {'|'.join(PROPERTIES)} --value UNIT`"
VERBS = f"{SHOW}, `is-active UNIT`, `start UNIT`, `stop UNIT` and `restart UNIT`"
USAGE = f"only {VERBS} are known"


def parse(arguments: list[str]) -> tuple[str, str, str | None] | None:
    """(verb, unit, property or None), or None for anything this stand-in does not do."""
    if len(arguments) == 2 and arguments[0] in ("is-active", "start", "stop", "restart"):
        return arguments[0], arguments[1], None
    if len(arguments) == 5 and arguments[:2] == ["show", "-p"] and arguments[3] == "--value":
        return ("show", arguments[4], arguments[2]) if arguments[2] in PROPERTIES else None
    return None


def main() -> int:
    request = parse(sys.argv[1:])
    if request is None or request[1].startswith("-"):
        print(f"systemctl of the lab: refused `{' '.join(sys.argv[1:])}`: {USAGE}", file=sys.stderr)
        return 1
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(SOCKET)
        connection.sendall(json.dumps(dict(zip(("verb", "unit", "property"), request))).encode() + b"\n")
        answer = json.loads(connection.makefile("r").readline())
    sys.stdout.write(answer["out"])
    sys.stderr.write(answer["err"])
    return answer["code"]


sys.exit(main())
