"""load_disk.py DIRECTORY WORKERS BYTES_PER_SECOND FILE_BYTES: as many processes write to and read from a file of
FILE_BYTES each, together BYTES_PER_SECOND at most."""
import fcntl
import mmap
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import life
import volume

LARGEST_BLOCK_BYTES, ALIGNMENT_BYTES = 1 << 20, 4096
BLOCKS_PER_SECOND = 8  # at least: a process in the middle of a block cannot be ended


def open_file(directory):
    """(descriptor, is it past the page cache?)"""
    file = volume.unlinked_file(directory)
    try:
        # Asked for at the opening, a file system that cannot do it would leave a file with a name behind.
        fcntl.fcntl(file, fcntl.F_SETFL, os.O_DIRECT)
        return file, True
    except OSError:
        return file, False


def load(file, is_direct, file_bytes, rate, first_at):
    block = min(LARGEST_BLOCK_BYTES, max(ALIGNMENT_BYTES, rate // BLOCKS_PER_SECOND // ALIGNMENT_BYTES * ALIGNMENT_BYTES))
    buffer = mmap.mmap(-1, block)
    buffer.write(os.urandom(block))

    def write(offset):
        os.pwritev(file, [buffer], offset)
        if not is_direct:
            os.fdatasync(file)
            os.posix_fadvise(file, offset, block, os.POSIX_FADV_DONTNEED)

    def read(offset):
        os.preadv(file, [buffer], offset)

    offset = 0
    while True:
        for act in (write, read):
            time.sleep(max(0.0, first_at - time.monotonic()))
            # What was not used in time is lost: no burst follows a stall.
            first_at = max(first_at, time.monotonic()) + block / rate
            act(offset)
        offset = (offset + block) % (file_bytes // block * block)


def main(directory, workers, bytes_per_second, file_bytes):
    files = [open_file(directory) for _ in range(workers)]
    number = 0
    while number < workers - 1 and os.fork():
        number += 1
    life.live()
    life.started(first=number == workers - 1)
    first_at = time.monotonic() + number / workers / BLOCKS_PER_SECOND
    load(*files[number], file_bytes, bytes_per_second // workers, first_at)


main(sys.argv[1], *map(int, sys.argv[2:]))
