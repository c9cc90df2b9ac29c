"""fill_disk.py DIRECTORY BYTES PERCENT RESERVE_BYTES: takes BYTES of the volume of DIRECTORY, or, if BYTES is 0, so much
that PERCENT of it are in use, and leaves RESERVE_BYTES free."""
import errno
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import life
import volume

CHUNK_BYTES = 256 << 20


def take(file, wanted, reserve):
    """Chunk by chunk, as others write to the volume meanwhile. (glibc writes where a file system cannot allocate.)"""
    size, block = 0, os.fstatvfs(file).f_frsize
    while True:
        length = min(CHUNK_BYTES, wanted - size, volume.free_bytes(file) - reserve) // block * block
        if length <= 0:
            break
        try:
            os.posix_fallocate(file, size, length)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            break
        if size == 0:
            life.started()
        size += length
    if size == 0:
        life.refuse(f"{volume.free_bytes(file)} bytes are free: none can be taken while {reserve} are kept in reserve")
    # The file system's own book-keeping took from the reserve, or somebody else did.
    over = reserve - volume.free_bytes(file)
    if over > 0:
        os.ftruncate(file, max(0, size - -(-over // block) * block))


def main(directory, wanted, percent, reserve):
    life.live()
    file = volume.unlinked_file(directory)
    take(file, wanted or volume.bytes_up_to(file, percent), reserve)
    life.rest()


main(sys.argv[1], *map(int, sys.argv[2:]))
