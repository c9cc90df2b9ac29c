"""Is the store's port served by this host itself, so that INPUT and OUTPUT see its clients?"""
import re

import processes
import snapshot
import store_process
from parameters import Refused


def require_here(values, asked):
    """Raises Refused when clients of the store are forwarded to a container with a network of its own: they pass neither
    INPUT nor OUTPUT, so nothing would keep them out. `asked` is the parameter and value that want that."""
    port = store_process.port_of(values)
    if not processes.listening_inodes(port):
        raise Refused(
            f"{asked}: nothing listens on port {port} in this host's own network; clients of a store in a container are"
            " forwarded past what would keep them out"
        )
    rules = snapshot.output(["iptables-save"])
    if rules is None:
        raise Refused(f"{asked}: iptables-save does not say whether port {port} is forwarded to a container")
    if re.search(rf"--dport {port}(?!\d).* -j DNAT", rules):
        raise Refused(f"{asked}: port {port} is forwarded (DNAT) to a container with a network of its own")
