"""The faults: one module each, `network-loss` is faults/network_loss.py. A module has one object `FAULT`, whose verbs
each run in a process of their own, but for `observe`, `refresh` and the workers' count."""

from __future__ import annotations

import importlib
import os

from linux.worker_processes import Pipes
from record import Counting, Effect, FaultRecord

DIRECTORY = os.path.dirname(os.path.abspath(__file__))


class Fault:
    """What every fault can be asked. Verbs raise OSError when they fail; `revert`, `status` and `observe` are
    idempotent and change nothing else on the host."""

    #: Commands it needs.
    tools: tuple[str, ...] = ()
    #: Rules, queues, processes or groups carry its mark, so that it can be found and reverted without its record.
    is_marked = False
    #: What is there again after the revert is reverted again (rules, queues).
    reappears = False
    #: What it took away comes back by others' work, which `wait_until_back` waits for.
    comes_back_late = False
    #: Clients may have to be kept away on its revert until the role of the node is certain.
    can_be_fenced = False

    def uses_packet_filter(self, record: FaultRecord) -> bool:
        """Does it meet its packets in the packet filter, where IP sets may end it without us? Asked before `prepare`,
        and again and again: what it had to try out is in the record then. Raises Refused."""
        return False

    def prepare(self, record: FaultRecord) -> list[str]:
        """Looks at the host, changes nothing; puts facts into the record. Returns the undo in words. Raises Refused
        for what the specification of the parameters cannot say."""
        raise NotImplementedError

    def apply(self, record: FaultRecord, pipes: Pipes, seconds: int) -> None:
        """Idempotent. What can end by itself in the kernel ends after so many seconds without a refresh. Does not
        wait for its effect: workers say over `pipes` when they are ready."""
        raise NotImplementedError

    def refresh(self, record: FaultRecord, seconds: int) -> None:
        """Lets what ends by itself go on for so long. In the runner's own process: cheap, and never waits."""

    def revert(self, record: FaultRecord) -> None:
        raise NotImplementedError

    def status(self, record: FaultRecord) -> bool:
        """Is anything of it on the host, or has its undo still to be done?"""
        raise NotImplementedError

    def observe(self, record: FaultRecord, provokes: bool) -> Effect:
        """What is to be seen of it in the world now; `provokes`: with a packet of our own through it. In the runner's
        own process: cheap, and never waits. Raises OSError when it cannot be seen."""
        raise NotImplementedError

    def touched(self, record: FaultRecord) -> list[str]:
        """Lines on what it touches, the same before and after it (queues of its interfaces, state of the time
        service). One that differs afterwards is a leftover."""
        return []

    def wait_until_back(self, record: FaultRecord) -> tuple[str | None, bool]:
        """(why what it took away is not back, is that a failure?)"""
        return None, False

    def workers(self, record: FaultRecord) -> int:
        """How many processes it starts: with fewer alive it is reverted."""
        return 0


def load(kind: str) -> Fault:
    found = importlib.import_module(f"faults.{kind.replace('-', '_')}").FAULT
    assert isinstance(found, Fault)
    return found


def carried() -> list[str]:
    """The kinds that this program has."""
    names = [name[:-3] for name in os.listdir(DIRECTORY) if name.endswith(".py") and name != "__init__.py"]
    return sorted(name.replace("_", "-") for name in names)


__all__ = ["Counting", "Effect", "Fault", "FaultRecord", "Pipes", "carried", "load"]
