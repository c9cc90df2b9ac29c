#!/usr/bin/python3
"""Runs commands for the tests on a line of the guest that no fault reaches: a serial port, one JSON text a line.

In: {"id", "words", "environment"} starts one, {"id", "signal"} signals it. Out: {"boot"} once, {"id", "out"|"err"} with
base64 text, {"id", "code"} at the end of it and of everything that holds its output open. {"id", "clear"} kills what is left.
"""
import base64
import json
import os
import signal
import subprocess
import sys
import termios
import threading
import time
import tty

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
running = {}
writing = threading.Lock()
starting = threading.Lock()


def say(port, message):
    text = json.dumps(message).encode() + b"\n"
    with writing:
        while text:
            text = text[os.write(port, text):]


def forward(port, request, name, stream):
    while True:
        chunk = os.read(stream.fileno(), 8192)
        if not chunk:
            break
        say(port, {"id": request, name: base64.b64encode(chunk).decode()})
    stream.close()


def set_oom_score(adjustment):
    with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write(adjustment)


def start(words, environment):
    # The OOM killer must not spare a command because it spares the agent. (A preexec_fn would do it too, but takes 0.2 s.)
    with starting:
        set_oom_score("0")
        try:
            return subprocess.Popen(
                words, env={"PATH": PATH, **environment}, cwd="/",
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )
        finally:
            set_oom_score("-1000")


def run(port, message):
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


def is_ours(pid):
    """Started by a command of a test: in the agent's own control group, or marked by its environment."""
    try:
        with open(f"/proc/{pid}/cgroup", encoding="ascii") as file:
            if "guest-agent.service" in file.read():
                return True
        with open(f"/proc/{pid}/environ", "rb") as file:
            return any(part.startswith((b"HOLDFAST_", b"SSM_")) for part in file.read().split(b"\0"))
    except OSError:
        return False


def clear(port, request):
    """Kills what earlier commands left running."""
    others = [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]
    while True:
        left = [pid for pid in others if is_ours(pid)]
        if not left:
            break
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        others = left
        time.sleep(0.02)
    say(port, {"id": request, "code": 0})


def main():
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
