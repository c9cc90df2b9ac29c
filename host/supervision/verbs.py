"""Verbs of a fault, each in a child process of its own that can be ended with all it started: what changes the host
behind the back of a finished revert is a fault that nobody watches."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import time
from collections.abc import Callable
from typing import Any, NoReturn

import log
from linux import command, processes
from linux.boot_clock import now
from linux.processes import ProcessId
from refused import Refused

END_SECONDS = 2.0
WAIT_SECONDS = 0.02
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15


def run(name: str, act: Callable[[], Any], seconds: float = 5.0, tick: Callable[[], None] | None = None) -> Any:
    """What `act` returns, as JSON has it. Raises Refused as `act` did, OSError for everything else it raised, and
    when it took too long. What `tick` raises ends the verb at once."""
    read_end, write_end = os.pipe()
    owner = processes.identify(os.getpid())
    pid = os.fork()
    if pid == 0:
        os.close(read_end)
        be_child(owner, write_end, act)
    os.close(write_end)
    try:
        text = read_all(read_end, name, now() + seconds, tick)
    except BaseException as reason:
        try:
            end_child(pid, owner)
        except OSError as error:
            # A decision is not to be lost for it: whoever reverts ends what is left.
            if isinstance(reason, OSError):
                raise
            log.say(str(error))
        raise
    finally:
        os.close(read_end)
    _, status = os.waitpid(pid, 0)
    return answer_of(name, text, status)


def read_all(read_end: int, name: str, until: float, tick: Callable[[], None] | None) -> bytes:
    """All that the child says. Its end is the end of the pipe."""
    chunks: list[bytes] = []
    while True:
        if select.select([read_end], [], [], WAIT_SECONDS)[0]:
            data = os.read(read_end, 1 << 16)
            if not data:
                return b"".join(chunks)
            chunks.append(data)
        elif now() > until:
            raise OSError(f"{name} took longer than allowed")
        if tick:
            tick()


def answer_of(name: str, text: bytes, status: int) -> Any:
    if not text:
        raise OSError(f"{name} ended without a word (wait status {status})")
    try:
        answer = json.loads(text)
    except ValueError:
        raise OSError(f"{name} ended in the middle of its answer (wait status {status})") from None
    if "refused" in answer:
        raise Refused(answer["refused"])
    if "error" in answer:
        raise OSError(f"{name}: {answer['error']}")
    return answer["value"]


def be_child(owner: ProcessId, write_end: int, act: Callable[[], Any]) -> NoReturn:
    try:
        # It dies with its owner, whatever that dies of.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        # A command has this name between its fork and its exec, when its environment does not tell yet.
        ctypes.CDLL(None).prctl(PR_SET_NAME, name_of(owner).encode(), 0, 0, 0)
        if os.getppid() != owner.pid:
            os._exit(1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        command.mark_with(mark(owner))
        answer = {"value": act()}
    except Refused as refusal:
        answer = {"refused": str(refusal)}
    except OSError as error:
        answer = {"error": str(error)}
    except BaseException as error:  # whatever it is, it goes to the one who waits
        answer = {"error": f"{type(error).__name__}: {error}"}
    try:
        data = json.dumps(answer).encode()
        while data:
            data = data[os.write(write_end, data) :]
    finally:
        os._exit(0)


def end_child(pid: int, owner: ProcessId) -> None:
    """Raises OSError when something of it cannot be ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    until = now() + END_SECONDS
    while os.waitpid(pid, os.WNOHANG)[0] == 0:
        if now() > until:
            raise OSError(f"process {pid} of a verb does not end")
        time.sleep(0.005)
    end_commands(owner)


def mark(owner: ProcessId) -> str:
    return f"{owner.pid}:{owner.start_time}"


def name_of(owner: ProcessId) -> str:
    """As the kernel shows a forked process that has not become a command yet: at most 15 characters."""
    return f"hf:{owner.pid}"


def end_commands(owner: ProcessId) -> None:
    """SIGKILL for every command that the verbs of this process of ours started, until none is left. They are known by
    their environment, or by their name before they have one: group and session do not tell, a tool may make its own,
    and the parent may be dead. Raises OSError when one cannot be ended."""
    until, quiet = now() + END_SECONDS, 0
    # Twice: a command that changes from one mark to the other shows neither.
    while quiet < 2:
        left = [pid for pid in processes.pids() if is_command_of(pid, owner)]
        quiet = 0 if left else quiet + 1
        if left and now() > until:
            raise OSError(f"processes {', '.join(map(str, left))} of a verb do not end")
        for pid in left:
            with contextlib.suppress(OSError):
                end_marked(pid, owner)
        time.sleep(0.005)


def is_command_of(pid: int, owner: ProcessId) -> bool:
    if pid == os.getpid():
        return False
    wanted = f"{command.OWNER_VARIABLE}={mark(owner)}".encode()
    return processes.has_in_environment(pid, wanted) or processes.name_of(pid) == name_of(owner)


def end_marked(pid: int, owner: ProcessId) -> None:
    descriptor = os.pidfd_open(pid)
    try:
        if is_command_of(pid, owner):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    finally:
        os.close(descriptor)


def end_owner(owner: ProcessId) -> None:
    """SIGKILL for a process of ours, if it is still the one that was recorded, and for all that its verbs started,
    also when it is dead already. Raises OSError when one of them cannot be ended."""
    if processes.send(owner, signal.SIGKILL):
        log.say(f"ended process {owner.pid}")
    processes.wait_gone(owner, 0.5)
    end_commands(owner)
