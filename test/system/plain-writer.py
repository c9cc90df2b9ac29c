#!/usr/bin/python3
"""An application's own account of one shard: SET + WAIT 1, fifty times a second, until stdin ends; then every
acknowledged key is read back from the master. Shares no code with Holdfast's probe, so that it can contradict it.

plain-writer.py SECRET_FILE SHARD PREFIX SENTINEL... ; prints one JSON line {"acknowledged", "lost"}.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from typing import Any

with open(sys.argv[1], encoding="utf-8") as file:
    SECRET = json.load(file)
SHARD, PREFIX, SENTINELS = sys.argv[2], sys.argv[3], sys.argv[4:]


class Connection:
    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port), 0.3)
        self.socket.settimeout(0.7)
        self.file = self.socket.makefile("rb")
        self.ask("AUTH", SECRET["username"], SECRET["password"])

    def ask(self, *words: object) -> str | list[Any] | None:
        parts = [f"*{len(words)}\r\n"] + [f"${len(str(word))}\r\n{word}\r\n" for word in words]
        self.socket.sendall("".join(parts).encode())
        return self.reply()

    def reply(self) -> str | list[Any] | None:
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise OSError("connection closed")
        kind, text = line[:1], line[1:-2].decode()
        if kind == b"-":
            raise OSError(text)
        if kind in b"+:":
            return text
        if kind == b"$":
            return None if text == "-1" else self.file.read(int(text) + 2)[:-2].decode()
        return [self.reply() for _ in range(int(text))]


def master() -> Connection:
    """Whom most Sentinels name, if it says so itself."""
    named: list[tuple[str, str]] = []
    for address in SENTINELS:
        try:
            answer = Connection(address, 26379).ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SHARD)
        except OSError:
            continue
        if isinstance(answer, list):
            named.append((str(answer[0]), str(answer[1])))
    host, port = max(set(named), key=named.count)
    connection = Connection(host, int(port))
    role = connection.ask("ROLE")
    if not role or role[0] != "master":
        raise OSError(f"{host} is not the master")
    return connection


def write(acknowledged: list[int]) -> None:
    connection, number = None, 0
    while not select.select([sys.stdin], [], [], 0.02)[0]:
        number += 1
        try:
            connection = connection or master()
            stored = connection.ask("SET", f"{PREFIX}:{number}", number, "EX", 600)
            if stored == "OK" and int(str(connection.ask("WAIT", 1, 500))) >= 1:
                acknowledged.append(number)
        except (OSError, ValueError):
            connection = None


def read_back(acknowledged: list[int]) -> list[int]:
    """@returns those that the master does not have."""
    tries = 20
    while True:
        try:
            connection = master()
            return [number for number in acknowledged if connection.ask("GET", f"{PREFIX}:{number}") != str(number)]
        except (OSError, ValueError):
            tries -= 1
            if tries == 0:
                raise
            time.sleep(0.5)


done: list[int] = []
write(done)
print(json.dumps({"acknowledged": len(done), "lost": len(read_back(done))}))
