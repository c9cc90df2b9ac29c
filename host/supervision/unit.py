"""systemd as a layer above the pair, where it runs: a transient unit of the fault's own. When both processes are
killed or stopped in the same instant, systemd ends what is left of them and reverts. A reboot leaves nothing."""

from __future__ import annotations

import os
import socket

from linux import command

START_SECONDS = 8
#: How long the supervisor may be silent: while it watches, and while it reverts.
WATCH_SECONDS = 3
REVERT_SECONDS = 45
PING_SECONDS = 1.0


def run(digest: str, watch: list[str], stopped: list[str]) -> None:
    """Starts `watch` in its unit and returns when it says that it is ready; `stopped` runs when the unit has ended, for
    whatever reason. No secret is among the arguments. Raises OSError when systemd does not start it."""
    settings = {
        "Type": "notify",
        "NotifyAccess": "main",
        "WatchdogSec": WATCH_SECONDS,
        # A process that is stopped dies of nothing else.
        "WatchdogSignal": "SIGKILL",
        "KillSignal": "SIGKILL",
        "KillMode": "control-group",
        "TimeoutStartSec": START_SECONDS,
        "TimeoutStopSec": REVERT_SECONDS,
        "OOMScoreAdjust": -1000,
        # The OOM killer takes a worker: the fault ends by the runner's word, not by the death of the pair.
        "OOMPolicy": "continue",
        # Above all other services, loads among them, whatever controllers they are under; the priority of a process
        # counts inside its group alone. Not in system.slice: a weight there would part its services from each other.
        "Slice": "-.slice",
        "CPUWeight": 10000,
        "Restart": "no",
        "ExecStopPost": " ".join(stopped),
    }
    words = ["systemd-run", "--quiet", "--collect", f"--unit=holdfast-{digest}.service"]
    words += [f"--property={name}={value}" for name, value in settings.items()]
    command.run([*words, "--", *watch], timeout_seconds=START_SECONDS + 1)


class Notifier:
    """What the unit's main process says to systemd; silent when there is none."""

    def __init__(self) -> None:
        path = os.environ.pop("NOTIFY_SOCKET", "")
        self.address = "\0" + path[1:] if path.startswith("@") else path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) if path else None
        self.said_at = 0.0

    def say(self, text: str) -> None:
        try:
            if self.socket:
                self.socket.sendto(text.encode(), socket.MSG_DONTWAIT, self.address)
        except OSError:
            return  # systemd is away (re-executing itself); it counts on from the last word it got

    def ready(self) -> None:
        self.say("READY=1")

    def alive(self, at: float) -> None:
        """`at`: the boot clock, in seconds."""
        if at - self.said_at >= PING_SECONDS:
            self.said_at = at
            self.say("WATCHDOG=1")

    def reverting(self) -> None:
        """The steps of a revert take longer than a beat."""
        self.say(f"WATCHDOG_USEC={REVERT_SECONDS * 1_000_000}\nWATCHDOG=1")
