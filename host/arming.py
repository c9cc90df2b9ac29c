"""Everything that can be known before anything is changed: tools, addresses, the process. Any doubt is a refusal."""
import glob
import http.client
import ipaddress
import os
import shutil
import socket
import subprocess
import threading
import urllib.parse

import parameters
import processes
from fences import redis
from lease import Metadata, endpoint, now
from parameters import Refused

TOOLS = ("bash", "awk", "sha256sum", "ip", "iptables", "iptables-save", "iptables-restore")


def kind_of_program(directory):
    """A document carries the script of its own kind alone, so no parameter can make it another fault."""
    kinds = [os.path.basename(path)[:-3] for path in glob.glob(f"{directory}/faults/*.sh")]
    if len(kinds) != 1 or kinds[0] not in parameters.KINDS:
        raise Refused(f"the program must carry exactly one fault script to inject, it has: {sorted(kinds)}")
    return kinds[0]


def prepare(kind, values):
    """The record of the fault, with its undo, before anything was done. Raises Refused."""
    check_tools()
    lease_table = parameters.lease_table()
    try:
        metadata = Metadata(2)
        instance_id = metadata.read("instance-id").strip()
        region = os.environ.get("AWS_REGION") or metadata.read("placement/region").strip()
        lease_endpoint = endpoint(region)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Refused(f"instance metadata or AWS_ENDPOINT_URL: {error}") from None
    exempt = sorted(set(parameters.addresses("exemptAddresses", values["exemptAddresses"])) | discover(region, lease_endpoint))
    peers = parameters.addresses("peerAddresses", values.get("peerAddresses", ""))
    working = families()
    check_addresses(peers, exempt, own_addresses(), values, working)
    state = {
        "faultId": values["faultId"],
        "instanceId": instance_id,
        "region": region,
        "leaseTable": lease_table,
        "kind": kind,
        "state": "ARMING",
        "values": values,
        "grant": f"{instance_id} {parameters.digest(values)}",
        "exempt": exempt,
        "peers": peers,
        "shard": sorted(set(peers) | {address for address, _ in parameters.sentinels(values)}),
        "families": working,
        "armedAtSeconds": now(),
        "fence": {"outcome": "NONE"},
        "undo": [],
        "leftovers": [],
    }
    if values["fence"] == "redis":
        try:
            redis.read_credentials(values["fenceCredentialsFile"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Refused(f"fenceCredentialsFile: {type(error).__name__}: {error}") from None
        state["undo"].append(f"keep clients from port {store_port(values)} until the store has found its master")
    state["undo"].append(undo(kind, values, state))
    return state


def undo(kind, values, state):
    if kind == "network-partition":
        return f"remove the chains that carry the comment holdfast:{values['faultId']}"
    found = processes.find_store(values["unit"], store_port(values))
    if not found:
        raise Refused(f"unit, storePorts: no process of {values['unit']} and none that listens on {store_port(values)}")
    state["process"] = found
    if kind == "process-pause":
        if (processes.stat(found[0]) or " ")[0] in "Tt":
            raise Refused(f"process {found[0]} of {values['unit']} is stopped already")
        return f"continue process {found[0]} with start time {found[1]}"
    if values["restart"] == "supervisor":
        return f"none: what supervises {values['unit']} starts it again"
    if processes.main_pid(values["unit"]) != found[0]:
        raise Refused(f"restart: rollback needs systemctl to know the main process of {values['unit']}")
    policy = processes.unit_property(values["unit"], "Restart")
    if policy != "no":
        raise Refused(
            f"restart: rollback needs a unit that stays down until the way back starts it, but {values['unit']} has"
            f" Restart={policy}; use restart=supervisor"
        )
    return f"systemctl start {values['unit']}"


def store_port(values):
    return int(values["storePorts"].split(",")[0])


def check_tools():
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        raise Refused(f"tools missing on this host: {', '.join(missing)}")
    if not usable("iptables-save"):
        raise Refused("iptables-save does not work on this host")


def families():
    """The address families whose packet filter works on this host: in these the fault and the fence are installed,
    removed and looked for, and in no other. Nothing is armed without IPv4's."""
    return ["4", "6"] if shutil.which("ip6tables-restore") and usable("ip6tables-save") else ["4"]


def usable(save):
    try:
        return subprocess.run([save, "-t", "filter"], capture_output=True, timeout=5, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def check_addresses(peers, exempt, own, values, working):
    for peer in peers:
        if peer in exempt:
            raise Refused(f"peerAddresses: {peer} is an address that must never be cut (lease, metadata, names or exempt)")
        if peer in own:
            raise Refused(f"peerAddresses: {peer} is an address of this host")
    closed = values.get("scope") == "isolate" or values["fence"] != "none"
    exposed = [text for text in own if reachable_v6(text)] if closed else []
    six = [peer for peer in peers if ":" in peer] + exposed
    if six and "6" not in working:
        raise Refused(f"ip6tables does not work on this host, which {six[0]} would need")


def reachable_v6(text):
    address = ipaddress.ip_address(text)
    return address.version == 6 and not address.is_loopback and not address.is_link_local


def own_addresses():
    shown = subprocess.run(["ip", "-o", "addr", "show"], capture_output=True, text=True, timeout=5, check=False).stdout
    rows = [line.split() for line in shown.splitlines()]
    return {str(ipaddress.ip_address(row[3].split("/")[0])) for row in rows if len(row) > 3 and row[2] in ("inet", "inet6")}


def discover(region, lease_endpoint):
    """Addresses that hold the host's own leash: metadata, name servers, and the AWS endpoints as they resolve now."""
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
    for thread in threads:
        thread.join(max(0, until - now()))
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
