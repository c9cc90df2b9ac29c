"""flap.py PID START_TIME PAUSE_SECONDS EVERY_SECONDS: stops exactly that process for PAUSE_SECONDS, again every
EVERY_SECONDS (0: once). The script's way back continues it, whenever this ends."""
import _thread
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import life
import processes


def be_punctual():
    """It is no load, it only keeps time, and has to on a busy host, too."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except OSError:
        os.setpriority(os.PRIO_PROCESS, 0, -20)


def sleep_until(moment):
    while life.now() < moment:
        time.sleep(max(0.0, moment - life.now()))


def main(pid, started, pause, every):
    lock = _thread.allocate_lock()

    def send(number):
        with lock:
            if not processes.send(pid, started, number):
                life.refuse(f"process {pid} (start time {started}) is gone")

    def let_run():
        lock.acquire()  # for good: no stop may follow
        processes.send(pid, started, signal.SIGCONT)

    be_punctual()
    # Both halves of the pair may have died, and nobody be left to walk the way back.
    life.live(at_end=let_run)
    stop_at = life.now()
    send(signal.SIGSTOP)
    life.started()
    while True:
        sleep_until(stop_at + pause)
        send(signal.SIGCONT)
        if not every:
            life.rest()
        stop_at += every
        sleep_until(stop_at)
        send(signal.SIGSTOP)


main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
