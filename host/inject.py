"""The verb inject: arms a fault and waits until its pair of processes has applied it, or has not."""

from __future__ import annotations

import os
import time

import parameters
import preflight
import revert
import specification
from bounds import INJECT_ANSWER_SECONDS
from fault_files import ROOT, FaultFiles, is_watched
from linux import systemd
from linux.boot_clock import now
from record import FaultRecord, State
from refused import Refused
from supervision import lock, pair

WAIT_SECONDS = 0.02


def existing(files: FaultFiles, kind: str, values: dict[str, str]) -> FaultRecord | None:
    """The record of the same fault if it is already here. Raises Refused when nothing may be started."""
    if files.has_tombstone():
        raise Refused("faultId: it was reverted before, an id is used once")
    peers = parameters.addresses("peerAddresses", values.get("peerAddresses", ""))
    reason = files.conflict(values["experimentId"], specification.RESOURCES[kind], peers)
    if reason:
        raise Refused(f"faultId: {reason}")
    record = files.read()
    if record is None or record.state is State.REFUSED or (record.state is State.ARMING and not is_watched(record)):
        return None
    if record.values != values:
        raise Refused("faultId: it is in use with other parameters")
    return record


def run() -> FaultRecord:
    kind = preflight.kind_of_program()
    values = parameters.read_fault(kind)
    os.makedirs(ROOT, mode=0o700, exist_ok=True)
    files = FaultFiles(values["faultId"])
    record = existing(files, kind, values)
    if record is None:
        record = preflight.prepare(kind, values)
        record.under_systemd = systemd.is_here()
        with lock.hold(lock.REGISTRATION):
            other = existing(files, kind, values)
            if other is None:
                files.forget_oldest()
                files.make()
                # Not before: what came before may have taken long, and from here on the pair has to be born soon.
                record.armed_at_seconds = now()
                files.write(record)
        if other is None:
            pair.start(files, record)
    return wait_for_answer(files, record)


def wait_for_answer(files: FaultFiles, record: FaultRecord) -> FaultRecord:
    until = now() + INJECT_ANSWER_SECONDS
    while True:
        seen = files.read()
        if not seen:
            # The pair may have done more than we have seen.
            record.state, record.reason = State.APPLYING, "the record had been removed"
            return revert.run(files, "APPLY_FAILED", record) or record
        record = seen
        if record.state not in (State.ARMING, State.APPLYING):
            break
        if not is_watched(record):
            return revert.run(files, "APPLY_FAILED", record) or record
        if now() > until:
            # The pair waits for the engine; this command has no time for it.
            return revert.remove_fault(files, "APPLY_FAILED", record) or record
        time.sleep(WAIT_SECONDS)
    if record.state is State.APPLIED and not is_watched(record):
        return revert.run(files, "WATCHDOG_DIED", record) or record
    return record
