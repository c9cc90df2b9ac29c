"""The files of a fault in /run/holdfast: gone with a reboot, like everything that the fault changes."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator

import record as records
from linux import processes
from linux.boot_clock import now
from record import Effect, FaultRecord, State

ROOT = "/run/holdfast"
#: From the record to the first process that watches: systemd may take its time.
BIRTH_SECONDS = 12
#: So many faults that have ended are remembered.
REMEMBERED = 20
ACTIVE = (State.ARMING, State.APPLYING, State.APPLIED, State.REVERTING, State.FAILED)


class FaultFiles:
    """Record and tombstone of one fault."""

    def __init__(self, fault_id: str) -> None:
        self.fault_id = fault_id
        self.directory = f"{ROOT}/{fault_id}"

    def make(self) -> None:
        os.makedirs(self.directory, mode=0o700, exist_ok=True)

    def read(self) -> FaultRecord | None:
        """Raises OSError for a record that cannot be read."""
        try:
            return self.with_effect(records.from_json(json.loads(self.read_file("state.json"))))
        except FileNotFoundError:
            return None
        except (KeyError, TypeError, ValueError) as error:
            raise OSError(f"{self.directory}/state.json is no record: {error!r}") from None

    def write(self, record: FaultRecord) -> None:
        self.write_file("state.json", json.dumps(records.to_json(record)))

    def write_effect(self, effect: Effect) -> None:
        """Beside the record: the runner sees it with every beat, and does not wait for whoever holds the record's
        lock."""
        self.write_file("effect.json", json.dumps(records.encoded(effect)))

    def write_effect_lost(self, at: str, why: str) -> None:
        self.write_file("effect-lost", f"{at} {why}")

    def with_effect(self, record: FaultRecord) -> FaultRecord:
        """The record with what was last seen of the fault."""
        with contextlib.suppress(OSError, ValueError, KeyError):
            record.effect = records.effect_from_json(json.loads(self.read_file("effect.json")))
        with contextlib.suppress(OSError, ValueError, KeyError):
            record.effect_lost_at, _, why = self.read_file("effect-lost").partition(" ")
            if why not in record.notes:
                record.notes.append(why)
        return record

    def read_file(self, name: str) -> str:
        with open(f"{self.directory}/{name}", encoding="utf-8") as file:
            return file.read()

    def write_file(self, name: str, text: str) -> None:
        """Atomic: a reader, or the peer that survives us, sees the old text or the new one."""
        temporary = f"{self.directory}/.{name}.{os.getpid()}"
        # What a command of the host said may hold any byte.
        with open(temporary, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, f"{self.directory}/{name}")

    def exists(self) -> bool:
        return os.path.exists(f"{self.directory}/state.json")

    def has_tombstone(self) -> bool:
        return os.path.exists(f"{self.directory}/tombstone")

    def leave_tombstone(self) -> None:
        """From now on the fault is never applied (again)."""
        self.make()
        with open(f"{self.directory}/tombstone", "a", encoding="utf-8"):
            pass

    def others(self) -> Iterator[FaultRecord]:
        """Records of the other faults on this host."""
        for name in os.listdir(ROOT):
            if name != self.fault_id and os.path.exists(f"{ROOT}/{name}/state.json"):
                other = FaultFiles(name)
                try:
                    found = other.read()
                except OSError:
                    # A record of another version that says that nothing is there keeps nobody away.
                    if other.says_it_has_ended():
                        continue
                    raise
                if found:
                    yield found

    def forget_oldest(self) -> None:
        """Removes the files of ended faults, but for the latest: /run is memory. A command that comes so late is
        refused by the lease, which is released for good. What cannot be removed stays."""
        ended = [each for each in map(FaultFiles, os.listdir(ROOT)) if each.is_over()]
        for each in sorted(ended, key=lambda each: os.stat(each.directory).st_mtime)[:-REMEMBERED]:
            with contextlib.suppress(OSError):
                for name in os.listdir(each.directory):
                    os.unlink(f"{each.directory}/{name}")
                os.rmdir(each.directory)
                os.unlink(f"{ROOT}/lock.settling.{each.fault_id}")

    def is_over(self) -> bool:
        """Has nothing been left of the fault, or was it never more than a tombstone?"""
        try:
            record = self.read()
        except OSError:
            return False
        return self.has_tombstone() if record is None else record.state in records.FINAL and not record.leftovers

    def says_it_has_ended(self) -> bool:
        try:
            return json.loads(self.read_file("state.json"))["state"] in [state.value for state in records.FINAL]
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def conflict(self, experiment_id: str, resource: str, peers: list[str]) -> str | None:
        """Why this fault, of that experiment, with that resource and these peers, must not begin on this host, or
        None."""
        found = (conflict(other, experiment_id, resource, peers) for other in self.others())
        return next(filter(None, found), None)


def is_active(record: FaultRecord) -> bool:
    """May something of the fault be on the host? What was to be armed when its pair died has changed nothing."""
    return record.state in ACTIVE and (record.state is not State.ARMING or is_watched(record))


def is_watched(record: FaultRecord) -> bool:
    """Is a process of the pair alive? Between the record and the birth of the pair, the record's age answers."""
    if not record.pair:
        return now() - record.armed_at_seconds < BIRTH_SECONDS
    return any(processes.is_alive(each) for each in (record.pair.supervisor, record.pair.runner))


def conflict(other: FaultRecord, experiment_id: str, resource: str, peers: list[str]) -> str | None:
    """Why a fault of this experiment must not begin beside the recorded one, or None. Faults of one experiment may
    share a host, but never what they change on it: the rollback of one would take the other away, or believe that it
    had. Nor may they work on the same packets: what one of them loses the other never sees."""
    if not is_active(other):
        return None
    found = f"{other.fault_id} is {other.state.value} on this host"
    if other.experiment_id != experiment_id:
        return f"{found}; one experiment at a time"
    if other.resource == resource:
        return f"{found}; one fault at a time on its {resource}"
    shared = sorted(set(peers) & set(other.peers))
    return f"{found}, and works on the packets to {shared[0]} too" if shared else None
