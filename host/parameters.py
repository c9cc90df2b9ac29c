"""Parameters of a fault, read from the environment (`SSM_<name>`) and checked against a whitelist: they come from a
command that anyone with ssm:SendCommand could have sent, so the checks of the document and the API are not trusted."""
import ipaddress
import os
import re

import bounds
import kinds

EXPERIMENT_ID = r"[A-Za-z0-9_-]{1,50}"
FAULT_ID = EXPERIMENT_ID + r"\.[1-9][0-9]{0,2}"
ADDRESS_LIST = r"(?:[0-9A-Fa-f:.]{2,45}(?:,[0-9A-Fa-f:.]{2,45}){0,511})"

COMMON = {
    "experimentId": EXPERIMENT_ID,
    "faultId": FAULT_ID,
    "ttlSeconds": r"[1-9][0-9]{0,2}",
    "leaseGraceSeconds": r"[1-9][0-9]?",
    "engine": r"redis",
    "unit": r"[A-Za-z0-9][A-Za-z0-9@._-]{0,99}",
    "storePorts": r"[1-9][0-9]{0,4}(?:,[1-9][0-9]{0,4}){0,14}",
    "exemptAddresses": ADDRESS_LIST + r"?",
    "fence": r"redis|none",
    "fenceMasterName": r"[A-Za-z0-9._-]{0,100}",
    "fenceSentinels": r"(?:[0-9A-Fa-f:.\[\]]{4,60}(?:,[0-9A-Fa-f:.\[\]]{4,60}){0,63})?",
    "fenceCredentialsFile": r"(?:(?:/[A-Za-z0-9._-]+)+)?",
}
LEASE_TABLE = r"[A-Za-z0-9_.-]{3,255}"
RANGES = {"ttlSeconds": bounds.TTL_SECONDS, "leaseGraceSeconds": bounds.LEASE_GRACE_SECONDS}


class Refused(Exception):
    """Said before anything was changed; the text is for a person and names the field and what is allowed."""


def read(pattern_by_name, range_by_name=RANGES):
    """The named parameters as a dict of strings. Raises Refused for the first one that is not allowed."""
    if "SSM_experimentId" not in os.environ:
        raise Refused("experimentId: SSM_experimentId is not set; the SSM agent must be 3.3.2746 or newer")
    values = {}
    for name, pattern in pattern_by_name.items():
        # An agent may leave out what is empty; a parameter that may not be empty fails its own pattern.
        value = os.environ.get("SSM_" + name, "")
        if not re.fullmatch(pattern, value):
            raise Refused(f"{name}: must match {pattern}")
        low, high = range_by_name.get(name, (None, None))
        if low is not None and not low <= int(value) <= high:
            raise Refused(f"{name}: must be {low} to {high}")
        values[name] = value
    if not values["faultId"].startswith(values["experimentId"] + "."):
        raise Refused("faultId: must be <experimentId>.<position>")
    return values


def lease_table():
    """The table whose rows keep a fault alive. The document's own text names it: a sender who could choose it would
    write the lease, the grant and the kill switch himself."""
    name = os.environ.get(bounds.LEASE_TABLE_VARIABLE, "")
    if not re.fullmatch(LEASE_TABLE, name):
        raise Refused(f"{bounds.LEASE_TABLE_VARIABLE}: must be set by the document and match {LEASE_TABLE}")
    return name


def read_fault(kind):
    """All parameters of a fault document, with the addresses checked one by one."""
    module = kinds.load(kind)
    values = read({**COMMON, **module.PARAMETERS}, {**RANGES, **getattr(module, "RANGES", {})})
    for port in values["storePorts"].split(","):
        if int(port) > 65535:
            raise Refused("storePorts: a port is 1 to 65535")
    peers = addresses("peerAddresses", values.get("peerAddresses", ""))
    exempt = addresses("exemptAddresses", values["exemptAddresses"])
    for peer in peers:
        refuse_unusual("peerAddresses", peer)
        if peer in exempt:
            raise Refused(f"peerAddresses: {peer} is also exempt (exemptAddresses)")
    for address, _ in sentinels(values):
        refuse_unusual("fenceSentinels", address)
    if values["fence"] == "redis" and not (values["fenceMasterName"] and values["fenceSentinels"]):
        raise Refused("fenceMasterName, fenceSentinels: must not be empty when fence is redis")
    kinds.call(kind, "check", values)
    return values


def addresses(field, text):
    """Canonical addresses of a comma list."""
    found = []
    for item in filter(None, text.split(",")):
        try:
            found.append(str(ipaddress.ip_address(item)))
        except ValueError:
            raise Refused(f"{field}: {item} is not an IPv4 or IPv6 address") from None
    return found


def refuse_unusual(field, text):
    address = ipaddress.ip_address(text)
    mapped = address.version == 6 and address.ipv4_mapped is not None
    if address.is_loopback or address.is_unspecified or address.is_multicast or mapped:
        raise Refused(f"{field}: {text} is not an address of another host")


def sentinels(values):
    """[(address, port)] of fenceSentinels."""
    found = []
    for item in filter(None, values["fenceSentinels"].split(",")):
        address, separator, port = item.rpartition(":")
        if not separator or not port.isdigit() or not 1 <= int(port) <= 65535:
            raise Refused(f"fenceSentinels: {item} is not address:port")
        if address.startswith("[") != address.endswith("]"):
            raise Refused(f"fenceSentinels: {item} is not address:port")
        found.append((addresses("fenceSentinels", address.strip("[]"))[0], int(port)))
    return found


def digest(values):
    """What a grant names: SHA-256 (hex) over `name=value\\n`, sorted by name."""
    return sha256_hex("".join(f"{name}={values[name]}\n" for name in sorted(values)))


def sha256_hex(text):
    import hashlib  # libcrypto: the leash does without, for its size

    return hashlib.sha256(text.encode()).hexdigest()
