"""When may clients write to a Redis node again? Healing around an old master in one step loses acknowledged writes: a
replica reattaches to it, satisfies WAIT, and is then pointed at the new master."""
import json
import socket

TIMEOUT_SECONDS = 0.5


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


def names_us(address, port, master_name, own_addresses, credentials):
    """Does this Sentinel say that the shard's master is this host? No answer is a no."""
    try:
        with Connection(address, port, credentials) as connection:
            host = connection.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", master_name)[0]
        return any(found[4][0] in own_addresses for found in socket.getaddrinfo(host, None))
    except (OSError, ValueError, TypeError, IndexError):
        return False


def settled(port, sentinels, master_name, own_addresses, credentials):
    """True when the node has become a replica, or when every Sentinel of the shard names it master."""
    local = role(port, credentials)
    if local == "slave":
        return True
    return local == "master" and bool(sentinels) and all(
        names_us(address, sentinel_port, master_name, own_addresses, credentials) for address, sentinel_port in sentinels
    )
