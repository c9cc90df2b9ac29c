#!/usr/bin/python3
"""Listens in other network namespaces and passes every connection on to a Unix socket: Node cannot enter a namespace.

In, one JSON text a line: {"id", "namespace", "address", "ports": {"443": "/path/of.sock"}} opens, {"close": id} closes.
Out: `ready ID` once an opened one takes connections. Ends with its input.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import socket
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypedDict

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
HOME = os.open("/proc/self/ns/net", os.O_RDONLY)
servers: dict[str, list[asyncio.AbstractServer]] = {}


class Opening(TypedDict):
    id: str
    namespace: str
    address: str
    ports: dict[str, str]


def enter(namespace: int) -> None:
    if LIBC.setns(namespace, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def listen(namespace: str, address: str, port: int) -> socket.socket:
    """A socket belongs to the namespace in which it was made, whoever uses it."""
    entered = os.open(namespace, os.O_RDONLY)
    try:
        enter(entered)
        return socket.create_server((address, port), backlog=128)
    finally:
        enter(HOME)
        os.close(entered)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


def relay(path: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_unix_connection(path)
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))

    return connected


async def open_ports(request: Opening) -> None:
    for port, path in request["ports"].items():
        listening = listen(request["namespace"], request["address"], int(port))
        servers.setdefault(request["id"], []).append(await asyncio.start_server(relay(path), sock=listening))
    print(f"ready {request['id']}", flush=True)


async def main() -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        request = json.loads(line)
        if "close" in request:
            for server in servers.pop(request["close"], []):
                server.close()
        else:
            await open_ports(request)


asyncio.run(main())
