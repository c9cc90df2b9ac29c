"""One HTTP/1.1 request and its answer on a connected socket. The standard client needs a mail parser for it, and with
it more memory than TLS."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from io import BufferedReader

LIMIT_BYTES = 65_536


def exchange(
    connection: socket.socket, method: str, path: str, headers: dict[str, str], body: bytes = b""
) -> tuple[int, dict[str, str], bytes]:
    """(status, {lower-case header: value}, body). The connection can be used again unless the answer says `close`.
    Raises OSError or ValueError for what is not a whole answer of at most 64 KiB; the connection is of no use
    then."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    lines += [f"content-length: {len(body)}", "", ""]
    connection.sendall("\r\n".join(lines).encode() + body)
    # Nothing is sent before the answer was read, so the buffer never holds what belongs to the next one.
    with connection.makefile("rb") as file:
        status = int(read_line(file).split(" ")[1])
        fields = dict(read_fields(file))
        if fields.get("transfer-encoding", "").lower() == "chunked":
            return status, fields, b"".join(read_chunks(file))
        if "content-length" not in fields:
            raise ValueError("an answer without its length")
        return status, fields, read(file, int(fields["content-length"]))


def read_fields(file: BufferedReader) -> Iterator[tuple[str, str]]:
    while True:
        text = read_line(file)
        if not text:
            return
        name, _, value = text.partition(":")
        yield name.lower(), value.strip()


def read_chunks(file: BufferedReader) -> Iterator[bytes]:
    left = LIMIT_BYTES
    while True:
        size = int(read_line(file).split(";")[0], 16)
        left -= size
        if size == 0:
            list(read_fields(file))
            return
        if left < 0:
            raise ValueError(f"an answer of more than {LIMIT_BYTES} bytes")
        yield read(file, size)
        read_line(file)


def read_line(file: BufferedReader) -> str:
    text = file.readline(LIMIT_BYTES)
    if not text.endswith(b"\n"):
        raise OSError("the answer ended early")
    return text.decode("latin-1").rstrip("\r\n")


def read(file: BufferedReader, size: int) -> bytes:
    if not 0 <= size <= LIMIT_BYTES:
        raise ValueError(f"an answer of {size} bytes")
    data = file.read(size)
    if len(data) < size:
        raise OSError("the answer ended early")
    return data
