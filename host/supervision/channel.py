"""What the two processes of a pair say to each other."""

from __future__ import annotations

import contextlib
import json
import socket

from supervision import decide

MESSAGE_BYTES = 4096


class Channel:
    def __init__(self, end: socket.socket) -> None:
        self.end = end

    def fileno(self) -> int:
        return self.end.fileno()

    def say(self, word: decide.Say) -> None:
        self.send({"advancedAt": word.advanced_at, "endsAt": word.ends_at})

    def say_revert(self, reason: str) -> None:
        with contextlib.suppress(OSError):
            self.send({"revert": reason})

    def send(self, message: dict[str, str | float | None]) -> None:
        """Raises ConnectionError when the peer is gone."""
        with contextlib.suppress(BlockingIOError):  # the peer does not read: its silence will tell
            self.end.send(json.dumps(message).encode(), socket.MSG_DONTWAIT)

    def hear(self) -> decide.Heard | decide.HeardRevert | decide.PeerClosed:
        """One message, when there is one to be read."""
        try:
            data = self.end.recv(MESSAGE_BYTES)
        except ConnectionError:
            return decide.PeerClosed()
        if not data:
            return decide.PeerClosed()
        message = json.loads(data)
        if "revert" in message:
            return decide.HeardRevert(message["revert"])
        return decide.Heard(message["advancedAt"], message["endsAt"])
