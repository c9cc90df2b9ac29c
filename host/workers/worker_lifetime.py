"""What all workers share: a worker lives only while the poller does (HOLDFAST_LIFE_FD is the read end of a pipe that
nobody else holds) and not beyond HOLDFAST_ENDS_AT on the boot clock."""
import _thread
import os
import select
import sys
import time

LOOK_SECONDS = 0.5  # `select` does not count while the machine is suspended, the boot clock does


def now():
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def live(at_end=None):
    """From now on this process ends when its life does, whatever it is doing. Once in each process, after the fork."""
    descriptor, ends_at = int(os.environ["HOLDFAST_LIFE_FD"]), float(os.environ["HOLDFAST_ENDS_AT"])
    _thread.start_new_thread(wait_for_end, (descriptor, ends_at, at_end))


def wait_for_end(descriptor, ends_at, at_end):
    try:
        while now() < ends_at:
            if select.select([descriptor], [], [], max(0, min(LOOK_SECONDS, ends_at - now())))[0]:
                break
        if at_end:
            at_end()
    finally:
        os._exit(0)


def started(first=True):
    """Tells the script, which waits for it, that the fault is there. Nobody reads what a worker would print later."""
    if first:
        print("ready", flush=True)
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 1)


def rest():
    """For a worker that has nothing left to do but to live."""
    while True:
        time.sleep(60)


def refuse(text):
    """Before `started`: the script fails with this text."""
    print(text, flush=True)
    sys.exit(1)
