"""Cassandra. By `disk_failure_policy: stop`, its default, a node that meets an error of its disk ends gossip and keeps
clients out, runs on, and opens neither again by itself."""

from __future__ import annotations

from linux import command

#: It is a virtual machine each time. Both together end before the control plane stops waiting.
NODETOOL_SECONDS = 4.5


def reopen() -> None:
    """Gossip first: a node that serves clients and hears nobody would refuse them. Twice is as once."""
    for verb in ("enablegossip", "enablebinary"):
        done = command.attempt(["nodetool", verb], timeout_seconds=NODETOOL_SECONDS)
        if done.code != 0:
            raise OSError(f"nodetool {verb} failed with {done.code}: {(done.err or done.out).strip()[:300]}")
