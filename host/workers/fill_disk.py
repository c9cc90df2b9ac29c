"""fill_disk.py DIRECTORY DEVICE BYTES PERCENT RESERVE_BYTES: takes BYTES of the volume of DIRECTORY, whose st_dev is
DEVICE, or, if BYTES is 0, so much that PERCENT of it are in use, and leaves RESERVE_BYTES free."""

from __future__ import annotations

import errno
import os
import sys
from typing import NoReturn

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from linux import volume
from workers import worker_lifetime as lifetime

LARGEST_CHUNK_BYTES = 256 << 20


def take(file: int, wanted: int, reserve: int) -> None:
    """Chunk by chunk, as others write to the volume meanwhile. (glibc writes where a file system cannot allocate.)"""
    size, chunk, block, is_new = 0, LARGEST_CHUNK_BYTES, os.fstatvfs(file).f_frsize, True
    while True:
        length = min(chunk, wanted - size, volume.free_bytes(file) - reserve) // block * block
        if length <= 0:
            break
        try:
            os.posix_fallocate(file, size, length)
            size += length
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            # The file system wants some of the last space for its own books. What it gave before that is ours.
            chunk = length // 2
        if is_new and os.fstat(file).st_blocks:
            is_new = False
            lifetime.started()
    if is_new:
        free = volume.free_bytes(file)
        lifetime.refuse(f"{free} bytes are free: none can be taken while {reserve} are kept in reserve")
    # The file system's own book-keeping took from the reserve, or somebody else did.
    over = reserve - volume.free_bytes(file)
    if over > 0:
        os.ftruncate(file, max(0, size - -(-over // block) * block))


def main(directory: str, device: int, wanted: int, percent: int, reserve: int) -> NoReturn:
    lifetime.exit_with_parent()
    file = volume.unlinked_file(directory, device)
    take(file, wanted or volume.bytes_up_to(file, percent), reserve)
    lifetime.idle()


main(sys.argv[1], *map(int, sys.argv[2:]))
