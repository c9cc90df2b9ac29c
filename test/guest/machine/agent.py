#!/usr/bin/python3
"""Runs commands for the tests on a line of the guest that no fault reaches: a serial port, one JSON text a line.

In: {"id", "words", "environment"} starts one, {"id", "signal"} signals it. Out: {"boot"} once, {"id", "out"|"err"} with
base64 text, {"id", "code"} at the end of it and of everything that holds its output open. {"id", "clear"} kills what
is left.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import termios
import threading
import time
import tty
from typing import IO, TypedDict

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
running: dict[int, subprocess.Popen[bytes]] = {}
writing = threading.Lock()
starting = threading.Lock()


class Start(TypedDict):
    id: int
    words: list[str]
    environment: dict[str, str]


def say(port: int, message: object) -> None:
    text = json.dumps(message).encode() + b"\n"
    with writing:
        while text:
            text = text[os.write(port, text) :]


def forward(port: int, request: int, name: str, stream: IO[bytes]) -> None:
    while True:
        chunk = os.read(stream.fileno(), 8192)
        if not chunk:
            break
        say(port, {"id": request, name: base64.b64encode(chunk).decode()})
    stream.close()


def set_oom_score(adjustment: str) -> None:
    with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write(adjustment)


def start(words: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    # The OOM killer must not spare a command because it spares the agent. (A preexec_fn does it too, but takes 0.2 s.)
    with starting:
        set_oom_score("0")
        try:
            return subprocess.Popen(
                words,
                env={"PATH": PATH, **environment},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        finally:
            set_oom_score("-1000")


def run(port: int, message: Start) -> None:
    request = message["id"]
    try:
        process = start(message["words"], message.get("environment", {}))
    except (OSError, subprocess.SubprocessError) as error:
        say(port, {"id": request, "err": base64.b64encode(str(error).encode()).decode()})
        say(port, {"id": request, "code": 127})
        return
    running[request] = process
    readers = [
        threading.Thread(target=forward, args=(port, request, name, stream), daemon=True)
        for name, stream in (("out", process.stdout), ("err", process.stderr))
    ]
    for reader in readers:
        reader.start()
    code = process.wait()
    for reader in readers:
        reader.join()
    del running[request]
    say(port, {"id": request, "code": code if code >= 0 else 128 - code})


def is_ours(pid: int) -> bool:
    """Started by a command of a test: in the agent's own control group, or marked by its environment."""
    try:
        with open(f"/proc/{pid}/cgroup", encoding="ascii") as file:
            if "guest-agent.service" in file.read():
                return True
        with open(f"/proc/{pid}/environ", "rb") as file:
            return any(part.startswith((b"HOLDFAST_", b"SSM_")) for part in file.read().split(b"\0"))
    except OSError:
        return False


def clear(port: int, request: int) -> None:
    """Kills what earlier commands left running."""
    others = [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]
    while True:
        left = [pid for pid in others if is_ours(pid)]
        if not left:
            break
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        others = left
        time.sleep(0.02)
    say(port, {"id": request, "code": 0})


def main() -> int:
    port = os.open("/dev/ttyS0", os.O_RDWR | os.O_NOCTTY)
    tty.setraw(port, termios.TCSANOW)
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        say(port, {"boot": file.read().strip()})
    with open(port, "rb", closefd=False) as lines:
        for line in lines:
            if not line.strip():
                continue
            message = json.loads(line)
            if "clear" in message:
                threading.Thread(target=clear, args=(port, message["id"]), daemon=True).start()
            elif "signal" in message:
                process = running.get(message["id"])
                if process:
                    process.send_signal(signal.Signals["SIG" + message["signal"]])
            else:
                threading.Thread(target=run, args=(port, message), daemon=True).start()
    return 0


if __name__ == "__main__":
    sys.exit(main())
