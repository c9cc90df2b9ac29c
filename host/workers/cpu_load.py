"""burn.py CORES PERCENT: keeps CORES processors busy for PERCENT of the time."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import life

PERIOD_SECONDS = 0.1


def burn(share):
    """Counts its own processor time, so that on a busy processor it takes what was asked for and no more."""
    while True:
        end, until = time.monotonic() + PERIOD_SECONDS, time.thread_time() + PERIOD_SECONDS * share
        while time.thread_time() < until and (share == 1 or time.monotonic() < end):
            for _ in range(1000):
                pass
        time.sleep(max(0.0, end - time.monotonic()))


def main(cores, percent):
    number = 0
    while number < cores - 1 and os.fork():
        number += 1
    life.live()
    life.started(first=number == cores - 1)
    burn(percent / 100)


main(int(sys.argv[1]), int(sys.argv[2]))
