"""Redis with Sentinel. When may clients write to a node again? Healing around an old master in one step loses
acknowledged writes: a replica reattaches to it, satisfies WAIT, and is then pointed at the new master."""

from __future__ import annotations

import contextlib
import functools
import json
import socket
from typing import TYPE_CHECKING, Any, NamedTuple

import parameters
from engines import Engine, Role, Watch
from linux import addresses, passage
from linux.boot_clock import now
from record import FaultRecord
from refused import Refused

if TYPE_CHECKING:
    import ssl

TIMEOUT_SECONDS = 0.5
#: Before the lift nobody is waited for: who does not answer leaves the role in doubt.
DOUBT_TIMEOUT_SECONDS = 0.25
#: Longer than the second between two pings of a Sentinel.
HOLD_SECONDS = 1.2
#: After the lift a Sentinel that does not answer for so long is a doubt.
SILENCE_SECONDS = 1.0
LINE_BYTES = 4096
#: What a Sentinel may say of a master that it has nothing against: it connects anew to one that was silent for a while.
UNSUSPECTED = {"master", "disconnected"}

Values = dict[str, str]


class Connection:
    """RESP; just enough for AUTH, ROLE and SENTINEL. `who` is 0 for the node itself, and n for the nth Sentinel."""

    def __init__(
        self, values: Values, who: int, address: str, port: int, seconds: float, own_port: int | None = None
    ) -> None:
        words, names = auth(values, who), values.get("fenceServerNames", "").split(",")
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            self.socket.settimeout(seconds)
            if own_port:
                # From where a network fault lets us pass. Several connections may be on their way out of it.
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                self.socket.bind(("", own_port))
            self.socket.connect((address, port))
            if names[0]:
                self.socket = tls(values).wrap_socket(self.socket, server_hostname=names[who])
            self.file = self.socket.makefile("rb")
            if words:
                self.call("AUTH", *words)
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        # At once and for good: the next connection has the same two ends.
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.file.close()
        self.socket.close()

    def call(self, *words: str) -> Any:
        encoded = [word.encode() for word in words]
        parts = [b"*%d\r\n" % len(encoded)] + [b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded]
        self.socket.sendall(b"".join(parts))
        return self.read()

    def read(self) -> Any:
        line = self.file.readline(LINE_BYTES)
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


class Word(NamedTuple):
    """What one Sentinel says of the shard's master."""

    flags: set[str]
    config_epoch: str
    address: str
    #: So many Sentinels must find the master down before one of them may fail it over.
    quorum: int
    #: When it last heard the master, boot clock.
    heard_at: float


def auth(values: Values, who: int) -> list[str]:
    """User, if there is one, and password; empty for nobody. Sentinels may have their own, see README. Raises OSError,
    ValueError, KeyError or TypeError."""
    if not values["fenceCredentialsFile"]:
        return []
    with open(values["fenceCredentialsFile"], encoding="utf-8") as file:
        found = json.load(file)
    user, password = found.get("username"), found["password"]
    if who and "sentinelPassword" in found:
        user, password = found.get("sentinelUsername"), found["sentinelPassword"]
    return [str(word) for word in (user, password) if word] if password else []


def tls(values: Values) -> ssl.SSLContext:
    """Raises OSError for files that cannot be used."""
    return context(values["fenceCaFile"], values["fenceCertificateFile"], values["fenceKeyFile"])


@functools.lru_cache(1)
def context(authorities: str, certificate: str, key: str) -> ssl.SSLContext:
    import ssl  # noqa: PLC0415 half of a process' memory, which nobody needs without TLS

    made = ssl.create_default_context(cafile=authorities or None)
    if certificate:
        made.load_cert_chain(certificate, key or None)
    return made


def sentinels(values: dict[str, str]) -> list[tuple[str, int]]:
    """(address, port) of each. Raises Refused."""
    found: list[tuple[str, int]] = []
    for item in filter(None, values["fenceSentinels"].split(",")):
        address, separator, port = item.rpartition(":")
        is_wrong = not separator or not port.isdigit() or not 1 <= int(port) <= 65535
        if is_wrong or address.startswith("[") != address.endswith("]"):
            raise Refused(f"fenceSentinels: {item} is not address:port")
        found.append((parameters.addresses("fenceSentinels", address.strip("[]"))[0], int(port)))
    return found


def role(record: FaultRecord) -> str | None:
    """`master`, `slave`, …; None when the local store does not answer."""
    try:
        with Connection(record.values, 0, "127.0.0.1", record.node_port, TIMEOUT_SECONDS) as connection:
            return str(connection.call("ROLE")[0])
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None


def ask(record: FaultRecord, sentinel: tuple[str, int], seconds: float, own_port: int | None = None) -> Word:
    """Raises OSError for whatever is no answer."""
    try:
        who = 1 + sentinels(record.values).index(sentinel)
        with Connection(record.values, who, *sentinel, seconds, own_port) as connection:
            asked_at = now()
            words = connection.call("SENTINEL", "MASTER", record.values["fenceMasterName"])
        said = dict(zip(words[::2], words[1::2]))
        heard_at = asked_at - int(said["last-ok-ping-reply"]) / 1000
        return Word(set(said["flags"].split(",")), said["config-epoch"], said["ip"], int(said["quorum"]), heard_at)
    except (KeyError, ValueError, TypeError) as error:
        raise OSError(f"{sentinel[0]}: not the answer of a Sentinel: {error!r}") from None


def is_ours(address: str) -> bool:
    mine = addresses.own()
    try:
        return address in mine or any(found[4][0] in mine for found in socket.getaddrinfo(address, None))
    except OSError:
        return False


def epochs_of(record: FaultRecord) -> dict[str, str]:
    """{Sentinel: config-epoch before the fault}, of those that called the node the master without a doubt."""
    return record.engine_facts.get("configEpochs", {})


def name_of(sentinel: tuple[str, int]) -> str:
    return f"{sentinel[0]}:{sentinel[1]}"


class RedisWatch(Watch):
    """Until a failover is nearly over a Sentinel goes on to name the old master, so only the flags tell, and only of
    those who have heard the node since the fault was lifted: before that, they may not have noticed anything yet."""

    def __init__(self, record: FaultRecord) -> None:
        self.record = record
        self.since = now()
        self.trusted_since: float | None = None
        self.answered_at: dict[tuple[str, int], float] = {}
        self.epochs = set(epochs_of(record).values())

    def look(self) -> Role:
        local = role(self.record)
        if local == "slave":
            return Role(has_settled=True)
        words = {sentinel: self.ask(sentinel) for sentinel in sentinels(self.record.values)}
        doubt = self.doubt_of(words)
        lifted_at = self.record.lifted_at_seconds or self.since
        is_trusted = local == "master" and bool(words)
        for word in words.values():
            is_trusted = is_trusted and word is not None and word.flags == {"master"} and word.heard_at >= lifted_at
            is_trusted = is_trusted and word is not None and is_ours(word.address)
        if not is_trusted:
            self.trusted_since = None
            return Role(has_settled=False, doubt=doubt)
        self.trusted_since = self.trusted_since or now()
        # They do not notice at the same time.
        return Role(has_settled=now() - self.trusted_since >= HOLD_SECONDS, doubt=doubt)

    def ask(self, sentinel: tuple[str, int]) -> Word | None:
        try:
            word = ask(self.record, sentinel, TIMEOUT_SECONDS)
        except OSError:
            return None
        self.answered_at[sentinel] = now()
        return word

    def doubt_of(self, words: dict[tuple[str, int], Word | None]) -> str | None:
        """A failover begins when as many as the quorum find the node down. Who does not answer may be one of them."""
        said = [word for word in words.values() if word]
        for word in said:
            if not word.flags <= {*UNSUSPECTED, "s_down"} or word.config_epoch not in self.epochs:
                return f"a Sentinel says {words_of(word)}"
        against = [name_of(each) for each, word in words.items() if self.is_silent(each) or is_against(word)]
        if len(against) >= min((word.quorum for word in said), default=1):
            return f"down or silent for {', '.join(against)}"
        return None

    def is_silent(self, sentinel: tuple[str, int]) -> bool:
        return now() - self.answered_at.get(sentinel, self.since) > SILENCE_SECONDS


def is_against(word: Word | None) -> bool:
    return word is not None and "s_down" in word.flags


def words_of(word: Word) -> str:
    return f"{','.join(sorted(word.flags))} of {word.address}, config-epoch {word.config_epoch}"


class Redis(Engine):
    def check(self, values: dict[str, str]) -> None:
        for address, _ in sentinels(values):
            parameters.refuse_unusual("fenceSentinels", address)
        names = values["fenceServerNames"]
        if names and len(names.split(",")) != 1 + len(sentinels(values)):
            raise Refused("fenceServerNames: must be one for the node and one for each of fenceSentinels, or empty")
        if not (values["fenceMasterName"] and values["fenceSentinels"]):
            raise Refused("fenceMasterName, fenceSentinels: must not be empty when fence is redis")

    def asked(self, values: dict[str, str]) -> list[tuple[str, int]]:
        return sentinels(values)

    def prepare(self, record: FaultRecord) -> None:
        field = "fenceCredentialsFile"
        try:
            auth(record.values, 1)
            if record.values["fenceServerNames"]:
                field = "fenceCaFile, fenceCertificateFile, fenceKeyFile"
                tls(record.values)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise Refused(f"{field}: {type(error).__name__}: {error}") from None

    def remember(self, record: FaultRecord) -> dict[str, Any]:
        """The config-epoch of every Sentinel that has no doubt; the role is in doubt later for those that do not
        answer."""
        epochs: dict[str, str] = {}
        for sentinel in sentinels(record.values):
            with contextlib.suppress(OSError):
                word = ask(record, sentinel, DOUBT_TIMEOUT_SECONDS)
                if word.flags == {"master"} and is_ours(word.address):
                    epochs[name_of(sentinel)] = word.config_epoch
        return {"configEpochs": epochs}

    def doubt(self, record: FaultRecord) -> str | None:
        epochs = epochs_of(record)
        # A fault without a network in its way needs no passage, and can do with it.
        own_port = passage.own_port(record)
        for sentinel in sentinels(record.values):
            name = name_of(sentinel)
            if name not in epochs:
                return f"{name} did not call the node its master before the fault"
            is_local = sentinel[0] in addresses.own()
            word = ask(record, sentinel, DOUBT_TIMEOUT_SECONDS, None if is_local else own_port)
            if not word.flags <= UNSUSPECTED or word.config_epoch != epochs[name] or not is_ours(word.address):
                return f"{name} says {words_of(word)}"
        return None

    def watch(self, record: FaultRecord) -> Watch:
        return RedisWatch(record)


ENGINE = Redis()
