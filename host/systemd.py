"""systemd as a layer above the pair, where it runs: a transient unit of the fault's own. When both halves are killed or
stopped in the same instant, systemd ends what is left of them and walks the way back. A reboot leaves nothing."""
import os
import shutil
import socket
import subprocess

import parameters

START_SECONDS = 8
# How long the leash may be silent: while it watches, and while it walks the way back.
WATCH_SECONDS = 3
WAY_BACK_SECONDS = 45
PING_SECONDS = 1.0


def is_here():
    return os.path.isdir("/run/systemd/system") and shutil.which("systemd-run") is not None


def unit(fault_id):
    return f"holdfast-{parameters.sha256_hex(fault_id)[:12]}.service"


def run(fault_id, watch, stopped):
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
        "TimeoutStopSec": WAY_BACK_SECONDS,
        "OOMScoreAdjust": -1000,
        # The OOM killer takes a worker: the fault ends by the poller's word, not by the death of both halves.
        "OOMPolicy": "continue",
        # Above all other services, loads among them, whatever controllers they are under; the priority of a process
        # counts inside its group alone. Not in system.slice: a weight there would part its services from each other.
        "Slice": "-.slice",
        "CPUWeight": 10000,
        "Restart": "no",
        "ExecStopPost": " ".join(stopped),
    }
    command = ["systemd-run", "--quiet", "--collect", f"--unit={unit(fault_id)}"]
    command += [f"--property={name}={value}" for name, value in settings.items()]
    try:
        done = subprocess.run(
            [*command, "--", *watch], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=START_SECONDS + 1, check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(str(error)) from None
    if done.returncode != 0:
        raise OSError(f"systemd-run: {done.stderr.strip()[:300]}")


class Notifier:
    """What the unit's main process says to systemd; silent when there is none."""

    def __init__(self):
        path = os.environ.pop("NOTIFY_SOCKET", "")
        self.address = "\0" + path[1:] if path.startswith("@") else path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) if path else None
        self.said_at = 0.0

    def say(self, text):
        try:
            if self.socket:
                self.socket.sendto(text.encode(), socket.MSG_DONTWAIT, self.address)
        except OSError:
            return  # systemd is away (re-executing itself); it counts on from the last word it got

    def ready(self):
        self.say("READY=1")

    def alive(self, at):
        """`at`: the boot clock, in seconds."""
        if at - self.said_at >= PING_SECONDS:
            self.said_at = at
            self.say("WATCHDOG=1")

    def on_way_back(self):
        """The steps of the way back take longer than a beat."""
        self.say(f"WATCHDOG_USEC={WAY_BACK_SECONDS * 1_000_000}\nWATCHDOG=1")
