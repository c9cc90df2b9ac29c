"""Addresses that the watchdog and the host's management need, the host's own, and what may be cut."""

from __future__ import annotations

import ipaddress
import os
import socket
import threading
import time

from instance_metadata import host_of_service
from linux import command
from linux.boot_clock import now
from refused import Refused

#: Instance metadata, as every instance has them.
METADATA = ("169.254.169.254", "fd00:ec2::254")
MANAGEMENT_SERVICES = ("ssm", "ssmmessages", "ec2messages")
RESOLVE_SECONDS = 2


def refuse_protected(peers: list[str], exempt: set[str]) -> None:
    """Raises Refused for a peer that must stay reachable, or that is this host."""
    mine = own()
    for peer in peers:
        if peer in exempt:
            raise Refused(
                f"peerAddresses: {peer} is an address that must never be cut (lease, metadata, names or exempt)"
            )
        if peer in mine:
            raise Refused(f"peerAddresses: {peer} is an address of this host")


def family_of(address: str) -> str:
    return "6" if ":" in address else "4"


def require_families(families: list[str], needed: list[str]) -> None:
    """Raises Refused when the packet filter does not work for an address that has to be cut or fenced."""
    for address in needed:
        if family_of(address) not in families:
            tool = "ip6tables" if ":" in address else "iptables"
            raise Refused(f"{tool} does not work on this host, which {address} would need")


def reachable_v6(texts: list[str]) -> list[str]:
    """Those at which another host can reach this one over IPv6."""
    parsed = [ipaddress.ip_address(text) for text in texts]
    return [str(each) for each in parsed if each.version == 6 and not each.is_loopback and not each.is_link_local]


def own() -> list[str]:
    rows = [line.split() for line in (command.output(["ip", "-o", "addr", "show"]) or "").splitlines()]
    found = {row[3].split("/")[0] for row in rows if len(row) > 3 and row[2] in ("inet", "inet6")}
    return sorted(str(ipaddress.ip_address(text)) for text in found)


def host_of(url: str) -> str | None:
    """Of a URL that the environment gives, None where it gives none."""
    rest = url.partition("://")[2].partition("/")[0]
    return rest.rpartition("]")[0].lstrip("[") or rest.partition(":")[0] or None


def protected(region: str, lease_host: str) -> set[str]:
    """Metadata, name servers, and the AWS endpoints as they resolve now: a fault that cut these would cut what
    watches it. A name that does not resolve cannot be cut by address; the lease itself is proven by reading it."""
    names = {*METADATA, lease_host}
    for variable in ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_ENDPOINT_URL"):
        names.add(host_of(os.environ.get(variable, "")) or lease_host)
    if not os.environ.get("AWS_ENDPOINT_URL"):
        names |= {host_of_service(service, region) for service in MANAGEMENT_SERVICES}
    names |= name_servers()
    found: set[str] = set()
    threads = [threading.Thread(target=resolve, args=(name, found), daemon=True) for name in names]
    for thread in threads:
        thread.start()
    until = now() + RESOLVE_SECONDS
    # Before Python 3.11 `join(timeout)` counts on the wall clock, which may be set.
    while now() < until and any(thread.is_alive() for thread in threads):
        time.sleep(0.01)
    return set(found)


def name_servers() -> set[str]:
    try:
        with open("/etc/resolv.conf", encoding="utf-8") as file:
            rows = [line.split() for line in file if line.startswith("nameserver ")]
    except OSError:
        return set()
    return {row[1] for row in rows if len(row) > 1}


def resolve(name: str, found: set[str]) -> None:
    try:
        for answer in socket.getaddrinfo(name, None):
            address = ipaddress.ip_address(answer[4][0])
            if (not address.is_loopback and not address.is_link_local) or str(address) == METADATA[0]:
                found.add(str(address))
    except (OSError, ValueError):
        return
