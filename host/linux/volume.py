"""The volume of a directory, and files on it without a name: whatever ends the process that holds one frees its
space."""

from __future__ import annotations

import glob
import os


def problem(directory: str) -> str | None:
    """Why no fault may touch the volume of this directory, or None. A file that is made for this has never a name."""
    if ".." in directory.split("/") or not os.path.isdir(directory):
        return f"dataDirectory: {directory} is not a directory of this host"
    if os.stat(directory).st_dev == os.stat("/run").st_dev:
        return f"dataDirectory: {directory} is on the volume of /run, where the fault's own records are"
    try:
        os.close(unlinked_file(directory, os.stat(directory).st_dev))
    except OSError as error:
        return f"dataDirectory: {directory} can have no file without a name (O_TMPFILE): {error.strerror or error}"
    return None


def unlinked_file(directory: str, device: int) -> int:
    """Descriptor of an empty file in `directory`, which never had a name: with one, the death of its maker could
    leave it behind. Raises OSError, also when the volume is not (any more) that of the device number."""
    place = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if os.fstat(place).st_dev != device:
            raise OSError(f"another volume than before is at {directory}")
        return os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600, dir_fd=place)
    finally:
        os.close(place)


def free_bytes(place: str | int) -> int:
    """What is free for everyone on the volume of a path or a descriptor: root's own reserve does not count."""
    volume = os.statvfs(place)
    return volume.f_bavail * volume.f_frsize


def bytes_up_to(place: str | int, percent: int) -> int:
    """How much is missing until so much of the volume is in use, as `df` counts; negative when more is."""
    volume = os.statvfs(place)
    used = volume.f_blocks - volume.f_bfree
    return (percent * (used + volume.f_bavail) // 100 - used) * volume.f_frsize


def held_bytes(pid: int) -> int:
    """Space of the files without a name that a process holds open."""
    total = 0
    for link in glob.glob(f"/proc/{pid}/fd/*"):
        try:
            found = os.stat(link)
        except OSError:
            continue
        if found.st_nlink == 0:
            total += found.st_blocks * 512
    return total


def disk_of(directory: str) -> str | None:
    """`major:minor` of the whole disk below (a throttle knows no partitions), or None where there is none (tmpfs)."""
    number = os.stat(directory).st_dev
    path = os.path.realpath(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    if os.path.exists(f"{path}/partition"):
        path = os.path.dirname(path)
    try:
        with open(f"{path}/dev", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return None
