"""A control group of our own for a fault's load: in the hierarchy of a controller (v1); with v2 all groups are
systemd's to make, and it makes us a transient scope, for whose life it switches the controllers on. It is named after
fault and instance (hosts that share a kernel share its control groups), and taken away by its name alone."""

from __future__ import annotations

import contextlib
import glob
import os
import signal
import time
from collections.abc import Iterator
from typing import NamedTuple

from linux import command, processes
from linux.boot_clock import now
from record import FaultRecord
from refused import Refused

ROOT = "/sys/fs/cgroup"
REMOVAL_SECONDS = 2.0


class Group(NamedTuple):
    directory: str
    version: int


class Limit(NamedTuple):
    """One limit, as v1 and v2 call it and take it."""

    file: str
    text: str
    systemd_property: str
    systemd_text: str


def name_of(record: FaultRecord) -> str:
    return f"holdfast-{record.group_digest}"


def find(record: FaultRecord, *controllers: str) -> Group:
    """The group to make for the first of the controllers (they have other names in v1) that there is. Raises Refused: a
    group without its controller would limit nothing."""
    for path, version, there in hierarchies():
        if set(controllers) & there and os.access(path, os.W_OK):
            inside = name_of(record) if version == 1 else f"system.slice/{name_of(record)}.scope"
            return Group(f"{path}/{inside}", version)
    wanted = " or ".join(controllers)
    raise Refused(f"this host has no control groups with the controller {wanted} below {ROOT} (v1, or v2 with systemd)")


def hierarchies() -> Iterator[tuple[str, int, set[str]]]:
    """(mount point, version, names of the controllers that its groups can have)"""
    with open("/proc/self/mounts", encoding="utf-8") as file:
        mounts = [line.split() for line in file]
    for _, path, kind, options, *_ in mounts:
        if kind == "cgroup" and os.path.dirname(path) == ROOT:
            yield path, 1, set(options.split(","))
        elif (
            kind == "cgroup2"
            and path == ROOT
            and os.path.isdir("/run/systemd/system")
            and command.exists("systemd-run")
        ):
            with open(f"{path}/cgroup.controllers", encoding="ascii") as file:
                yield path, 2, set(file.read().split())


def make(group: Group, limits: list[Limit]) -> None:
    """v1 alone: of v2 systemd makes it around the first process."""
    if group.version != 1:
        return
    os.makedirs(group.directory, exist_ok=True)
    for limit in limits:
        with open(f"{group.directory}/{limit.file}", "w", encoding="ascii") as file:
            file.write(limit.text)


def scope_command(group: Group, limits: list[Limit]) -> list[str]:
    """What stands before the command of a process that is to live in the group: nothing with v1."""
    if group.version == 1:
        return []
    unit = os.path.basename(group.directory)
    properties = [word for limit in limits for word in ("-p", f"{limit.systemd_property}={limit.systemd_text}")]
    return ["systemd-run", "--quiet", "--scope", "--collect", f"--unit={unit}", *properties]


def enter(group: Group) -> None:
    """This process, with v1."""
    if group.version == 1:
        with open(f"{group.directory}/cgroup.procs", "w", encoding="ascii") as file:
            file.write("0")


def of_fault(record: FaultRecord) -> list[str]:
    """Those that are there."""
    name = name_of(record)
    return sorted(glob.glob(f"{ROOT}/*/{name}") + glob.glob(f"{ROOT}/system.slice/{name}.scope"))


def remove(record: FaultRecord) -> None:
    """Ends our workers inside; other processes inside are a failure. Idempotent. Raises OSError."""
    mark, until = f"HOLDFAST_WORKER={record.fault_id}".encode(), now() + REMOVAL_SECONDS
    while True:
        for path in of_fault(record):
            end_workers(path, mark)
            # systemd removes a scope that is empty by itself, and wants to.
            if not path.endswith(".scope"):
                with contextlib.suppress(OSError):
                    os.rmdir(path)
        left = of_fault(record)
        if not left:
            return
        if now() > until:
            raise OSError(f"cannot be removed: {', '.join(left)}")
        time.sleep(0.02)


def end_workers(path: str, mark: bytes) -> None:
    with contextlib.suppress(OSError):
        with open(f"{path}/cgroup.procs", encoding="ascii") as file:
            inside = [int(line) for line in file]
        for pid in inside:
            if processes.has_in_environment(pid, mark):
                processes.send(processes.identify(pid), signal.SIGKILL)
