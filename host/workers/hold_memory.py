"""hold_memory.py BYTES RESERVE_BYTES: holds BYTES of memory, or as much as leaves RESERVE_BYTES available to others,
and says what it takes without that."""

from __future__ import annotations

import mmap
import os
import sys
import time
from typing import NoReturn

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from workers import worker_lifetime as lifetime

CHUNK_BYTES = 32 << 20
LOOK_SECONDS = 0.05


def available_bytes() -> int:
    with open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    raise OSError("/proc/meminfo has no MemAvailable")


def own_bytes() -> int:
    """What this program takes without holding anything."""
    with open("/proc/self/statm", encoding="ascii") as file:
        resident, shared = (int(word) for word in file.read().split()[1:3])
    return (resident - shared) * mmap.PAGESIZE


def chunk(size: int) -> mmap.mmap:
    """Private memory in which every page was written to: untouched pages cost nothing."""
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with memoryview(memory) as view:
        view[:: mmap.PAGESIZE] = b"\x01" * -(-size // mmap.PAGESIZE)
    return memory


def main(wanted: int, reserve: int) -> NoReturn:
    # Whatever runs short of memory: this goes first, and frees it.
    with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("1000")
    lifetime.exit_with_parent()
    own = own_bytes()
    held: list[mmap.mmap] = []
    is_new = True
    while True:
        available = available_bytes()
        size = min(CHUNK_BYTES, wanted - sum(map(len, held)))
        if available < reserve and held:
            held.pop().close()
        elif size > 0 and available - size >= reserve:
            held.append(chunk(size))
        elif is_new:
            lifetime.refuse(
                f"{available} bytes of memory are available: none can be taken while {reserve} are kept in reserve"
            )
        else:
            time.sleep(LOOK_SECONDS)
        if is_new:
            is_new = False
            lifetime.started(more=str(own))


main(int(sys.argv[1]), int(sys.argv[2]))
