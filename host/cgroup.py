"""Where a control group of our own can be made: in the hierarchy of a controller (v1); with v2 all groups are systemd's to
make, and it makes us a transient scope, for whose life it switches the controllers on."""
import os
import shutil

from parameters import Refused
from snapshot import cgroup_name

ROOT = "/sys/fs/cgroup"


def find(state, *controllers):
    """{"directory", "version"} of the group to make for the first of the controllers (they have other names in v1)
    that there is. Raises Refused: a group without its controller would limit nothing."""
    for path, version, there in hierarchies():
        if set(controllers) & there and os.access(path, os.W_OK):
            inside = cgroup_name(state) if version == 1 else f"system.slice/{cgroup_name(state)}.scope"
            return {"directory": f"{path}/{inside}", "version": version}
    raise Refused(
        f"this host has no control groups with the controller {' or '.join(controllers)} below {ROOT} (v1, or v2 with systemd)"
    )


def hierarchies():
    """(mount point, version, names of the controllers that its groups can have)"""
    with open("/proc/self/mounts", encoding="utf-8") as file:
        mounts = [line.split() for line in file]
    for _, path, kind, options, *_ in mounts:
        if kind == "cgroup" and os.path.dirname(path) == ROOT:
            yield path, 1, set(options.split(","))
        elif kind == "cgroup2" and path == ROOT and os.path.isdir("/run/systemd/system") and shutil.which("systemd-run"):
            with open(f"{path}/cgroup.controllers", encoding="ascii") as file:
                yield path, 2, set(file.read().split())


def environment(group):
    """For cgroup.sh; nothing when the fault has no group."""
    if not group:
        return {}
    return {"HOLDFAST_CGROUP": group["directory"], "HOLDFAST_CGROUP_VERSION": str(group["version"])}
