"""Where and whether packets to the peers can be delayed or lost on their way out. Looks, and changes nothing."""
import os
import re
import subprocess

import addresses
import scripts
import snapshot
from parameters import Refused

# What the kernel derives from the interface anew, and who looks at it at the moment.
VARYING = re.compile(r" (?:refcnt|(?:initial_)?quantum) \S+")
# They stand beside the root, not in its place.
BESIDE = ("ingress", "clsact")


def netem_problem(state):
    """Why netem cannot be used here, or None. The kind's script is tried as it will run, in a network namespace that
    goes away with it: nothing else says that this kernel and this tc can do all of it."""
    try:
        if run(["unshare", "-n", "true"]).returncode != 0:
            return "a network namespace to try netem in is not permitted"
        trial = {**state, "facts": {**state["facts"], "interfaces": ["lo"], "mechanism": "netem"}}
        script = f"{scripts.PROGRAM}/{scripts.fault(state)}"
        tried = run(["unshare", "-n", "bash", script, "apply"], env=scripts.environment(trial))
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"netem could not be tried: {error}"
    if tried.returncode == 0:
        return None
    return f"this kernel or its tc has no netem (sch_netem, sch_prio, cls_u32: {tried.stderr.strip()[:200]})"


def interfaces(peers):
    """The interfaces on which packets to the peers leave. Raises Refused for a peer that is reached by none, and for an
    interface whose queueing discipline is not what the kernel would put there again."""
    found = set()
    for peer, line in zip(peers, routes([(peer, None) for peer in peers])):
        found |= leaving(peer, line)
    # A host with several interfaces may route by the address it sends from.
    sources = [own for own in addresses.own() if own != "127.0.0.1" and (":" not in own or addresses.reachable_v6([own]))]
    pairs = [(peer, own) for peer in peers for own in sources if (":" in own) == (":" in peer)]
    for line in routes(pairs, must_be=False):
        found |= set(devices(line)) - {"lo"}
    for interface in found:
        refuse_foreign(interface)
    return sorted(found)


def routes(pairs, must_be=True):
    """One line for each route from (peer, source address or None)."""
    text = "".join(f"route get fibmatch {peer}{f' from {own}' if own else ''}\n" for peer, own in pairs)
    try:
        said = run(["ip", "-o", *([] if must_be else ["-force"]), "-batch", "-"], input=text)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(f"peerAddresses: ip route get: {error}") from None
    lines = said.stdout.splitlines()
    if must_be and (said.returncode != 0 or len(lines) != len(pairs)):
        peer = pairs[len(lines)][0] if len(lines) < len(pairs) else "a peer"
        raise Refused(f"peerAddresses: there is no route to {peer}: {said.stderr.strip()[:200]}")
    return lines


def leaving(peer, line):
    found = devices(line)
    if line.split()[0] in ("local", "broadcast", "multicast", "anycast", "blackhole", "unreachable", "prohibit", "throw"):
        raise Refused(f"peerAddresses: no packet to {peer} leaves this host, its route is: {line.strip()}")
    if not found or "lo" in found:
        raise Refused(f"peerAddresses: no interface leads to {peer}, its route is: {line.strip()}")
    return set(found)


def devices(line):
    words = line.split()
    return [after for word, after in zip(words, words[1:]) if word == "dev"]


def refuse_foreign(interface):
    """Only the kernel's own default comes back by itself when ours is deleted: it has the handle 0: and, but for
    interfaces without a queue, the kind that is the default now."""
    lines = show(interface)
    if lines is None:
        raise Refused(f"tc cannot show the queueing discipline of {interface}")
    for kind, handle in (line.split()[1:3] for line in lines):
        if kind not in BESIDE and handle != "0:":
            raise Refused(f"{interface} has the queueing discipline {kind} {handle}, which is not the kernel's default: someone else's")
        if kind not in (*BESIDE, "noqueue", "mq", default_kind()):
            raise Refused(f"{interface} has the queueing discipline {kind}, but the kernel would make {default_kind()} of it now")


def default_kind():
    """None inside a network namespace, which does not show it: there only interfaces without a queue are taken."""
    try:
        with open("/proc/sys/net/core/default_qdisc", encoding="ascii") as file:
            return file.read().strip()
    except FileNotFoundError:
        return None


def show(interface):
    text = snapshot.output(["tc", "qdisc", "show", "dev", interface])
    return None if text is None else [line for line in text.splitlines() if line.startswith("qdisc ")]


def observe(state):
    """The queueing disciplines of the interfaces the fault is put on."""
    lines = []
    for interface in state["facts"].get("interfaces", []):
        shown = show(interface)
        lines += ["tc could not be read"] if shown is None else [f"{interface}: {VARYING.sub('', line).strip()}" for line in shown]
    return lines


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=5, check=False, **options)
