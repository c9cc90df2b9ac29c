"""load_disk.py DIRECTORY DEVICE WORKERS BYTES_PER_SECOND FILE_BYTES KEPT_BYTES: as many processes write to and read
from a file of FILE_BYTES each, together BYTES_PER_SECOND at most. DEVICE: st_dev of DIRECTORY. KEPT_BYTES of it stay
free."""

from __future__ import annotations

import fcntl
import mmap
import os
import sys
import time
from typing import NoReturn

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from linux import volume
from workers import worker_lifetime as lifetime

LARGEST_BLOCK_BYTES, ALIGNMENT_BYTES = 1 << 20, 4096
BLOCKS_PER_SECOND = 8  # at least: a process in the middle of a block cannot be ended


def open_file(directory: str, device: int, file_bytes: int) -> tuple[int, bool]:
    """(descriptor, is it past the page cache?) All of its space is taken now: writing takes no more of what is kept
    free."""
    file = volume.unlinked_file(directory, device)
    os.posix_fallocate(file, 0, file_bytes)
    try:
        # Asked for at the opening, a file system that cannot do it would leave a file with a name behind.
        fcntl.fcntl(file, fcntl.F_SETFL, os.O_DIRECT)
        return file, True
    except OSError:
        return file, False


def load(file: int, is_direct: bool, file_bytes: int, rate: int, first_at: float) -> NoReturn:
    most = rate // BLOCKS_PER_SECOND // ALIGNMENT_BYTES * ALIGNMENT_BYTES
    block = min(LARGEST_BLOCK_BYTES, max(ALIGNMENT_BYTES, most))
    buffer = mmap.mmap(-1, block)
    buffer.write(os.urandom(block))

    def write(offset: int) -> None:
        os.pwritev(file, [buffer], offset)
        if not is_direct:
            os.fdatasync(file)
            os.posix_fadvise(file, offset, block, os.POSIX_FADV_DONTNEED)

    def read(offset: int) -> None:
        os.preadv(file, [buffer], offset)

    offset = 0
    while True:
        for act in (write, read):
            time.sleep(max(0.0, first_at - time.monotonic()))
            # What was not used in time is lost: no burst follows a stall.
            first_at = max(first_at, time.monotonic()) + block / rate
            act(offset)
        offset = (offset + block) % (file_bytes // block * block)


def main(
    directory: str, device: int, workers: int, bytes_per_second: int, file_bytes: int, kept_bytes: int
) -> NoReturn:
    # A filling that runs meanwhile looks after it has taken, as we do: not both can believe that there was room.
    if volume.free_bytes(directory) - kept_bytes < workers * file_bytes:
        lifetime.refuse(
            f"less than {workers} files of {file_bytes} bytes are free beside the {kept_bytes} that stay so"
        )
    files = [open_file(directory, device, file_bytes) for _ in range(workers)]
    if volume.free_bytes(directory) < kept_bytes:
        lifetime.refuse(f"less than {kept_bytes} bytes would stay free")
    number = 0
    while number < workers - 1 and os.fork():
        number += 1
    lifetime.exit_with_parent()
    lifetime.started(first=number == workers - 1)
    first_at = time.monotonic() + number / workers / BLOCKS_PER_SECOND
    load(*files[number], file_bytes, bytes_per_second // workers, first_at)


main(sys.argv[1], *map(int, sys.argv[2:]))
