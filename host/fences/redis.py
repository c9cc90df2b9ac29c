"""When may clients write to a Redis node again? Healing around an old master in one step loses acknowledged writes: a
replica reattaches to it, satisfies WAIT, and is then pointed at the new master."""
import json
import socket

from lease import now

TIMEOUT_SECONDS = 0.5
# Longer than the second between two pings of a Sentinel.
HOLD_SECONDS = 1.2


class Connection:
    """RESP over a plain socket; just enough for AUTH, ROLE and SENTINEL."""

    def __init__(self, address, port, credentials):
        self.socket = socket.create_connection((address, port), TIMEOUT_SECONDS)
        self.file = self.socket.makefile("rb")
        if credentials:
            self.call("AUTH", credentials["username"], credentials["password"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def call(self, *words):
        encoded = [str(word).encode() for word in words]
        parts = [b"*%d\r\n" % len(encoded)] + [b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded]
        self.socket.sendall(b"".join(parts))
        return self.read()

    def read(self):
        line = self.file.readline(4096)
        if not line.endswith(b"\r\n"):
            raise OSError("connection closed")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise OSError(rest.decode(errors="replace"))
        if kind == b"$":
            return None if int(rest) < 0 else self.file.read(int(rest) + 2)[:-2].decode()
        if kind == b"*":
            return None if int(rest) < 0 else [self.read() for _ in range(int(rest))]
        return rest.decode()


def read_credentials(path):
    """{"username", "password"} of a JSON file, or None without a file. Raises OSError, ValueError or KeyError."""
    if not path:
        return None
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    return {"username": str(found["username"]), "password": str(found["password"])}


def role(port, credentials):
    """`master`, `slave`, …; None when the local store does not answer."""
    try:
        with Connection("127.0.0.1", port, credentials) as connection:
            return connection.call("ROLE")[0]
    except (OSError, ValueError, TypeError, IndexError):
        return None


def trusts_us(address, port, master_name, own_addresses, credentials, lifted_at_seconds):
    """Does this Sentinel hold this host for the shard's master, without a doubt and without a failover on the way? Until
    a failover is nearly over it goes on to name the old master, so only the flags tell. It must have heard us since the
    fault was lifted: before that, a Sentinel may not have noticed anything yet. No answer is a no."""
    try:
        with Connection(address, port, credentials) as connection:
            asked_at_seconds = now()
            words = connection.call("SENTINEL", "MASTER", master_name)
        said = dict(zip(words[::2], words[1::2]))
        heard_at_seconds = asked_at_seconds - int(said["last-ok-ping-reply"]) / 1000
        if said["flags"] != "master" or heard_at_seconds < lifted_at_seconds:
            return False
        return said["ip"] in own_addresses or any(
            found[4][0] in own_addresses for found in socket.getaddrinfo(said["ip"], None)
        )
    except (OSError, ValueError, TypeError, KeyError):
        return False


class Watch:
    """Asked again and again: has the node found its place in the shard?"""

    def __init__(self, port, sentinels, master_name, own_addresses, credentials, lifted_at_seconds):
        self.port = port
        self.sentinels = sentinels
        self.about_us = (master_name, own_addresses, credentials, lifted_at_seconds)
        self.credentials = credentials
        self.trusted_since = None

    def settled(self):
        """True when the node has become a replica, or when every Sentinel of the shard has held it for the master for a
        while: they do not notice at the same time."""
        local = role(self.port, self.credentials)
        if local == "slave":
            return True
        if local != "master" or not self.sentinels or not all(
            trusts_us(address, port, *self.about_us) for address, port in self.sentinels
        ):
            self.trusted_since = None
            return False
        self.trusted_since = self.trusted_since or now()
        return now() - self.trusted_since >= HOLD_SECONDS
