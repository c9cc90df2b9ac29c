"""Parameters of a fault, read from the environment (`SSM_<name>`) and checked by the same specification as at the
API: they come from a command that anyone with ssm:SendCommand could have sent, so the checks of others are not
trusted."""

from __future__ import annotations

import ipaddress
import os
import re

import bounds
import engines
import specification
from refused import Refused

LEASE_TABLE = r"[A-Za-z0-9_.-]{3,255}"


def read(wanted: dict[str, str]) -> dict[str, str]:
    """The named parameters. Raises Refused for the first one that is not allowed."""
    if "SSM_experimentId" not in os.environ:
        raise Refused("experimentId: SSM_experimentId is not set; the SSM agent must be 3.3.2746 or newer")
    values: dict[str, str] = {}
    for name, pattern in wanted.items():
        # An agent may leave out what is empty; a parameter that may not be empty fails its own pattern.
        value = os.environ.get("SSM_" + name, "")
        if not re.fullmatch(pattern, value):
            raise Refused(f"{name}: must match {pattern}")
        values[name] = value
    if not values["faultId"].startswith(values["experimentId"] + "."):
        raise Refused("faultId: must be <experimentId>.<position>")
    return values


def read_identity() -> str:
    """The id of the fault that is meant."""
    return read(specification.IDENTITY)["faultId"]


def lease_table() -> str:
    """The table whose rows keep a fault alive. The document's own text names it: a sender who could choose it would
    write the lease, the grant and the kill switch himself."""
    name = os.environ.get(bounds.LEASE_TABLE_VARIABLE, "")
    if not re.fullmatch(LEASE_TABLE, name):
        raise Refused(f"{bounds.LEASE_TABLE_VARIABLE}: must be set by the document and match {LEASE_TABLE}")
    return name


def read_fault(kind: str) -> dict[str, str]:
    """All parameters of a fault document, with the addresses checked one by one."""
    values = read({**specification.IDENTITY, **specification.COMMON, **specification.PARAMETERS[kind]})
    for rule, first, second in specification.RULES[kind]:
        problem = broken(rule, values[first], values[second])
        if problem:
            raise Refused(f"{first}, {second}: {problem.format(first=first, second=second)}")
    peers = addresses("peerAddresses", values.get("peerAddresses", ""))
    exempt = addresses("exemptAddresses", values["exemptAddresses"])
    for peer in peers:
        refuse_unusual("peerAddresses", peer)
        if peer in exempt:
            raise Refused(f"peerAddresses: {peer} is also exempt (exemptAddresses)")
    if values["fence"] != "none":
        engines.load(values["engine"]).check(values)
    return values


def broken(rule: str, first: str, second: str) -> str | None:
    """Why two values do not go together, or None. "0" is a number that was left out."""
    if rule == "exactlyOne" and (first == "0") == (second == "0"):
        return "exactly one of them must not be 0"
    if rule == "atMost" and int(first) > int(second):
        return "{first} must be 0 to {second}"
    if rule == "onlyWith" and first != "0" and second == "0":
        return "{first} must be 0 without {second}"
    if rule == "lessThan" and second != "0" and int(first) >= int(second):
        return "{first} must be less than {second}"
    return None


def addresses(field: str, text: str) -> list[str]:
    """Canonical addresses of a comma list."""
    found: list[str] = []
    for item in filter(None, text.split(",")):
        try:
            found.append(str(ipaddress.ip_address(item)))
        except ValueError:
            raise Refused(f"{field}: {item} is not an IPv4 or IPv6 address") from None
    return found


def refuse_unusual(field: str, text: str) -> None:
    address = ipaddress.ip_address(text)
    mapped = isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None
    if address.is_loopback or address.is_unspecified or address.is_multicast or mapped:
        raise Refused(f"{field}: {text} is not an address of another host")


def digest(values: dict[str, str]) -> str:
    """What a grant names: SHA-256 (hex) over `name=value\\n`, sorted by name."""
    return sha256_hex("".join(f"{name}={values[name]}\n" for name in sorted(values)))


def sha256_hex(text: str) -> str:
    import hashlib  # noqa: PLC0415 libcrypto: processes that stay do without, for their size

    return hashlib.sha256(text.encode()).hexdigest()
