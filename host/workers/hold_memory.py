"""hold_memory.py BYTES RESERVE_BYTES: holds BYTES of memory, or as much as leaves RESERVE_BYTES available to others."""
import mmap
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import life

CHUNK_BYTES = 32 << 20
LOOK_SECONDS = 0.05


def available_bytes():
    with open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    raise OSError("/proc/meminfo has no MemAvailable")


def chunk(size):
    """Private memory in which every page was written to: untouched pages cost nothing."""
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with memoryview(memory) as view:
        view[:: mmap.PAGESIZE] = b"\x01" * -(-size // mmap.PAGESIZE)
    return memory


def main(wanted, reserve):
    # Whatever runs short of memory: this goes first, and frees it.
    with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("1000")
    life.live()
    held, is_new = [], True
    while True:
        available = available_bytes()
        size = min(CHUNK_BYTES, wanted - sum(map(len, held)))
        if available < reserve and held:
            held.pop().close()
        elif size > 0 and available - size >= reserve:
            held.append(chunk(size))
        elif is_new:
            life.refuse(f"{available} bytes of memory are available: none can be taken while {reserve} are kept in reserve")
        else:
            time.sleep(LOOK_SECONDS)
        if is_new:
            is_new = False
            life.started()


main(int(sys.argv[1]), int(sys.argv[2]))
