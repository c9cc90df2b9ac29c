#!/usr/bin/python3
"""An application's own account of one shard: SET + WAIT 1, fifty times a second, until stdin ends; then every acknowledged
key is read back from the master. Shares no code with Holdfast's probe, so that it can contradict it.

plain-writer.py SECRET_FILE SHARD PREFIX SENTINEL... ; prints one JSON line {"acknowledged", "lost"}.
"""
import json
import select
import socket
import sys
import time

SECRET = json.load(open(sys.argv[1], encoding="utf-8"))
SHARD, PREFIX, SENTINELS = sys.argv[2], sys.argv[3], sys.argv[4:]


class Connection:
    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), 0.3)
        self.socket.settimeout(0.7)
        self.file = self.socket.makefile("rb")
        self.ask("AUTH", SECRET["username"], SECRET["password"])

    def ask(self, *words):
        parts = [f"*{len(words)}\r\n"] + [f"${len(str(word))}\r\n{word}\r\n" for word in words]
        self.socket.sendall("".join(parts).encode())
        return self.reply()

    def reply(self):
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


def master():
    """Whom most Sentinels name, if it says so itself."""
    named = []
    for address in SENTINELS:
        try:
            named.append(tuple(Connection(address, 26379).ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SHARD)))
        except OSError:
            continue
    host, port = max(set(named), key=named.count)
    connection = Connection(host, int(port))
    if connection.ask("ROLE")[0] != "master":
        raise OSError(f"{host} is not the master")
    return connection


def write(acknowledged):
    connection, number = None, 0
    while not select.select([sys.stdin], [], [], 0.02)[0]:
        number += 1
        try:
            connection = connection or master()
            stored = connection.ask("SET", f"{PREFIX}:{number}", number, "EX", 600)
            if stored == "OK" and int(connection.ask("WAIT", 1, 500)) >= 1:
                acknowledged.append(number)
        except (OSError, ValueError):
            connection = None


def read_back(acknowledged):
    for attempt in range(20):
        try:
            connection = master()
            return [number for number in acknowledged if connection.ask("GET", f"{PREFIX}:{number}") != str(number)]
        except (OSError, ValueError):
            if attempt == 19:
                raise
            time.sleep(0.5)


done = []
write(done)
print(json.dumps({"acknowledged": len(done), "lost": len(read_back(done))}))
