"""delay_worker_rate.py RATE...: in a network namespace of its own, how well the worker that delays packets carries
so many a second; one line of JSON for each. Each packet says when it was sent."""

from __future__ import annotations

import ctypes
import json
import multiprocessing
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from multiprocessing.synchronize import Event

HOST = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "host")
NEAR, FAR, PORT, QUEUE = "10.99.0.1", "10.99.0.2", 9999, 1000
LATENCY_MS, JITTER_MS, HELD_BYTES = 100, 10, 16 << 20
SECONDS, PAYLOAD_BYTES = 4.0, 1000
STAMP = struct.Struct("=Id")
SETUP = f"""set -e
ip link set lo up
ip netns add far
ip link add near type veth peer name far
ip link set far netns far
ip addr add {NEAR}/24 dev near; ip link set near up
ip -n far addr add {FAR}/24 dev far; ip -n far link set far up
iptables -t mangle -A POSTROUTING -d {FAR} -p udp -j NFQUEUE --queue-num {QUEUE} --queue-bypass"""


def start_worker(jitter_ms: int) -> subprocess.Popen[bytes]:
    life, _ = os.pipe()
    environment = {"PATH": os.environ["PATH"], "HOLDFAST_LIFE_FD": str(life), "HOLDFAST_ENDS_AT": "1e12"}
    words = ["/usr/bin/python3", "-I", "-B", f"{HOST}/workers/delay_packets.py", str(QUEUE), str(LATENCY_MS)]
    words += [str(jitter_ms), str(HELD_BYTES), "/run/delay"]
    worker = subprocess.Popen(words, env=environment, pass_fds=[life], stdout=subprocess.PIPE)
    assert worker.stdout and worker.stdout.readline() == b"ready\n"
    return worker


def send(rate: int) -> None:
    channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    channel.setsockopt(socket.SOL_SOCKET, 32, 1 << 26)  # SO_SNDBUFFORCE
    rest, start = bytes(PAYLOAD_BYTES - STAMP.size), time.monotonic()
    for number in range(int(rate * SECONDS)):
        due = start + number / rate
        while time.monotonic() < due:
            time.sleep(max(0.0, min(0.001, due - time.monotonic())))
        channel.sendto(STAMP.pack(number, time.monotonic()) + rest, (FAR, PORT))


def receive(ready: Event, results: multiprocessing.Queue[list[tuple[int, float]]]) -> None:
    with open("/run/netns/far", encoding="ascii") as namespace:
        ctypes.CDLL(None).setns(namespace.fileno(), 0)
    channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    channel.setsockopt(socket.SOL_SOCKET, 33, 1 << 26)  # SO_RCVBUFFORCE
    channel.bind((FAR, PORT))
    channel.settimeout(1.5)
    ready.set()
    seen: list[tuple[int, float]] = []
    try:
        while True:
            number, sent = STAMP.unpack_from(channel.recv(2048))
            seen.append((number, (time.monotonic() - sent) * 1000))
    except socket.timeout:
        results.put(seen)


def measure(rate: int, jitter_ms: int) -> dict[str, object]:
    worker = start_worker(jitter_ms)
    context = multiprocessing.get_context("fork")
    ready, results = context.Event(), context.Queue()
    receiver = context.Process(target=receive, args=(ready, results))
    receiver.start()
    ready.wait()
    before = cpu_seconds(worker.pid)
    send(rate)
    cpu = cpu_seconds(worker.pid) - before
    seen = results.get()
    receiver.join()
    worker.send_signal(signal.SIGTERM)
    worker.wait()
    delays = sorted(delay for _, delay in seen)
    numbers = [number for number, _ in seen]
    beyond = [max(LATENCY_MS - jitter_ms - delay, delay - LATENCY_MS - jitter_ms, 0.0) for delay in delays]
    return {
        "packetsPerSecond": rate, "jitterMs": jitter_ms, "lost": int(rate * SECONDS) - len(seen),
        "overtaken": sum(after < before for before, after in zip(numbers, numbers[1:])),
        "p50Ms": delays[len(delays) // 2], "p99BeyondMs": sorted(beyond)[len(beyond) * 99 // 100],
        "maxBeyondMs": max(beyond), "corePct": 100 * cpu / SECONDS,
    }  # fmt: skip


def cpu_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0]) / 1e9


subprocess.run(["bash", "-c", SETUP], check=True)
for text in sys.argv[1:]:
    for jitter_ms in (0, JITTER_MS):
        print(json.dumps(measure(int(text), jitter_ms)), flush=True)
