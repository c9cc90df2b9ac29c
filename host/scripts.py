"""Runs the program's scripts so that none of them, and nothing they started, outlives the one who runs them: what
changes the host behind the back of a finished way back is a fault that nobody watches."""
import contextlib
import os
import signal
import subprocess
import time

import kinds
import processes
from lease import now

PROGRAM = os.path.dirname(os.path.abspath(__file__))
END_SECONDS = 2.0


def fault(state):
    return f"faults/{state['kind']}.sh"


def run(path, verb, state, tick=None, timeout_seconds=5.0, life_fd=None):
    """Runs one of the program's scripts; returns its stdout. Raises OSError with its stderr, or when it took too long:
    then it and all it started have been ended, but for workers. `life_fd` ends when the poller does: for its workers."""
    settings = environment(state)
    if life_fd is not None:
        settings.update(HOLDFAST_LIFE_FD=str(life_fd), HOLDFAST_ENDS_AT=f"{state['endsAtSeconds']:.3f}")
    process = subprocess.Popen(
        ["bash", f"{PROGRAM}/{path}", verb],
        env=settings, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        pass_fds=() if life_fd is None else (life_fd,),
    )
    until, bad_news = now() + timeout_seconds, None
    while True:
        try:
            out, err = process.communicate(timeout=0.02)
            break
        except subprocess.TimeoutExpired:
            if now() > until:
                end(os.getpid(), start_time(os.getpid()))
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.communicate(timeout=1)
                raise OSError(f"{path} {verb} took longer than {timeout_seconds} s") from None
        # A script is never left running behind its caller: bad news wait until it has ended.
        try:
            if tick and not bad_news:
                tick()
        except Exception as error:
            bad_news = error
    if bad_news:
        raise bad_news
    if process.returncode != 0:
        raise OSError(f"{path} {verb} failed with {process.returncode}: {err.strip()[:500]}")
    return out.strip()


def environment(state):
    # A fault that is taken back without a record has the environment of its mark instead.
    own = state["bare"] if "bare" in state else kinds.call(state["kind"], "environment", state)
    return {
        "PATH": os.environ["PATH"],
        "LC_ALL": "C",
        "HOLDFAST_OWNER": mark(os.getpid(), start_time(os.getpid())),
        "HOLDFAST_FAULT_ID": state["faultId"],
        "HOLDFAST_INSTANCE_ID": state["instanceId"] or "",
        "HOLDFAST_FAMILIES": " ".join(state["families"]),
        "HOLDFAST_PEERS": ",".join(state["peers"]),
        "HOLDFAST_EXEMPT": ",".join(state["exempt"]),
        "HOLDFAST_SHARD": ",".join(state["shard"]),
        "HOLDFAST_STORE_PORTS": state["values"].get("storePorts", ""),
        **(own or {}),
    }


def start_time(pid):
    found = processes.stat(pid)
    return found[1] if found else "0"


def mark(pid, started):
    return f"{pid}:{started}"


def end(pid, started):
    """SIGKILL for every process that the scripts of this process of ours started, until none is left. They are known by
    their environment: group and session do not tell, `timeout` alone makes a group of its own, and the parent may be
    dead. Raises OSError when one cannot be ended."""
    wanted = f"HOLDFAST_OWNER={mark(pid, started)}".encode()
    until = now() + END_SECONDS
    while True:
        left = [found for found in filter(str.isdigit, os.listdir("/proc")) if is_marked(found, wanted)]
        if not left:
            return
        if now() > until:
            raise OSError(f"processes {', '.join(left)} of a script do not end")
        for found in left:
            with contextlib.suppress(OSError):
                descriptor = os.pidfd_open(int(found))
                try:
                    if is_marked(found, wanted):
                        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                finally:
                    os.close(descriptor)
        time.sleep(0.005)


def is_marked(pid, wanted):
    """A process that has given up its memory shows no environment any more: it can do nothing, either."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return wanted in file.read().split(b"\0")
    except OSError:
        return False
