"""Addresses that hold the host's own leash, the host's own, and what may be cut."""
import ipaddress
import os
import socket
import subprocess
import threading
import time
import urllib.parse

from lease import now
from parameters import Refused


def refuse_leash(peers, exempt):
    """Raises Refused for a peer that must stay reachable, or that is this host."""
    mine = own()
    for peer in peers:
        if peer in exempt:
            raise Refused(f"peerAddresses: {peer} is an address that must never be cut (lease, metadata, names or exempt)")
        if peer in mine:
            raise Refused(f"peerAddresses: {peer} is an address of this host")


def require_families(families, needed):
    """Raises Refused when the packet filter does not work for an address that has to be cut or fenced."""
    for address in needed:
        if ("6" if ":" in address else "4") not in families:
            raise Refused(f"{'ip6tables' if ':' in address else 'iptables'} does not work on this host, which {address} would need")


def reachable_v6(texts):
    """Those at which another host can reach this one over IPv6."""
    parsed = [ipaddress.ip_address(text) for text in texts]
    return [str(address) for address in parsed if address.version == 6 and not address.is_loopback and not address.is_link_local]


def own():
    shown = subprocess.run(["ip", "-o", "addr", "show"], capture_output=True, text=True, timeout=5, check=False).stdout
    rows = [line.split() for line in shown.splitlines()]
    return {str(ipaddress.ip_address(row[3].split("/")[0])) for row in rows if len(row) > 3 and row[2] in ("inet", "inet6")}


def leash(region, lease_endpoint):
    """Metadata, name servers, and the AWS endpoints as they resolve now."""
    names = {urllib.parse.urlsplit(os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", "")).hostname}
    names |= {"169.254.169.254", "fd00:ec2::254", lease_endpoint.hostname}
    names |= {urllib.parse.urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).hostname}
    if not os.environ.get("AWS_ENDPOINT_URL"):
        names |= {f"{service}.{region}.amazonaws.com" for service in ("ssm", "ssmmessages", "ec2messages")}
    try:
        with open("/etc/resolv.conf", encoding="utf-8") as file:
            names |= {line.split()[1] for line in file if line.startswith("nameserver ") and len(line.split()) > 1}
    except OSError:
        pass
    found = set()
    threads = [threading.Thread(target=resolve, args=(name, found), daemon=True) for name in names if name]
    for thread in threads:
        thread.start()
    until = now() + 2
    # Before Python 3.11 `join(timeout)` counts on the wall clock, which may be set.
    while now() < until and any(thread.is_alive() for thread in threads):
        time.sleep(0.01)
    return set(found)


def resolve(name, found):
    try:
        for answer in socket.getaddrinfo(name, None):
            address = ipaddress.ip_address(answer[4][0])
            if not address.is_loopback and not address.is_link_local or str(address) == "169.254.169.254":
                found.add(str(address))
    except (OSError, ValueError):
        # A name that does not resolve cannot be cut by address; the lease itself is proven by reading it.
        return
