#!/usr/bin/python3
"""Holdfast's host program: `watchdog.py inject | revert | status | start`. See README.md beside it.

inject starts a pair of processes that outlive the command (supervision/). Each reverts the fault when its own reason
comes or when the other one falls silent, so that no single death, stop or hang keeps a fault alive."""

from __future__ import annotations

import os
import sys
from typing import Any

os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

import answer
import parameters
import revert
from fault_files import FaultFiles
from instance_metadata import Metadata
from linux import boot_clock
from record import State
from refused import Refused

OK, USAGE, REFUSED, FAILED = 0, 2, 3, 4


def do_inject() -> tuple[dict[str, Any], int]:
    import inject  # noqa: PLC0415 the program that only rolls back does not have it

    record = inject.run()
    codes = {State.APPLIED: OK, State.REFUSED: REFUSED}
    return answer.of_record(record), codes.get(record.state, FAILED)


def do_revert() -> tuple[dict[str, Any], int]:
    fault_id = parameters.read_identity()
    try:
        record = revert.run(FaultFiles(fault_id), "ROLLBACK")
    except OSError:
        # A record that cannot be read keeps no fault that carries its mark.
        revert.without_record(fault_id, read_instance_id())
        raise
    if record and record.state is not State.REFUSED:
        return answer.of_record(record), OK if record.state is State.REVERTED else FAILED
    instance_id = record.instance_id if record else read_instance_id()
    if not revert.without_record(fault_id, instance_id):
        return nothing(fault_id, record and answer.of_record(record), instance_id), OK
    said = answer.bare(fault_id, "REVERTED", "found by its mark, without a record", instance_id)
    return {**said, "revertReason": "ROLLBACK", "liftedAt": boot_clock.utc()}, OK


def do_start() -> tuple[dict[str, Any], int]:
    import start_store  # noqa: PLC0415 the program that injects does not have it

    record, is_started = start_store.run(FaultFiles(parameters.read_identity()))
    return {**answer.of_record(record), "started": is_started}, OK


def do_status() -> tuple[dict[str, Any], int]:
    fault_id = parameters.read_identity()
    record = FaultFiles(fault_id).read()
    return answer.of_record(record) if record else nothing(fault_id, None, read_instance_id()), OK


def nothing(fault_id: str, said: dict[str, Any] | None, instance_id: str | None) -> dict[str, Any]:
    known = said or answer.bare(fault_id, "", instance_id=instance_id)
    return {**known, "state": "NOTHING_TO_REVERT"}


def read_instance_id() -> str | None:
    try:
        return Metadata(1).read("instance-id").strip()
    except (OSError, ValueError, IndexError):
        return None


def boot_id() -> str | None:
    """Of this run of the kernel. Who knows that it is the one the fault was applied in does not take a lost record
    for none."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return None


def main(arguments: list[str]) -> int:
    os.umask(0o077)
    if len(arguments) == 3 and arguments[0] in ("watch", "stopped"):
        from supervision import pair  # noqa: PLC0415 only the program that injects has it

        pair.main(*arguments)
        return OK
    verbs = {"inject": do_inject, "revert": do_revert, "status": do_status, "start": do_start}
    if len(arguments) != 1 or arguments[0] not in verbs:
        print("usage: watchdog.py inject|revert|status|start", file=sys.stderr)
        return USAGE
    fault_id = os.environ.get("SSM_faultId", "")
    try:
        said, code = verbs[arguments[0]]()
    except Refused as error:
        said, code = answer.bare(fault_id, "REFUSED", str(error)), REFUSED
    except Exception as error:  # whatever it is, somebody waits for one line of JSON
        said, code = answer.bare(fault_id, "FAILED", f"{type(error).__name__}: {error}"), FAILED
    print(answer.line({**said, "bootId": boot_id()}), flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
