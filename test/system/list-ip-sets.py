"""The names of the IP sets in this network namespace, one a line; started in the checkout."""

from __future__ import annotations

import errno
import socket
import struct
import sys

sys.path.insert(0, "host")

from linux import ip_set, netlink

head = struct.pack("=BBH", socket.AF_UNSPEC, 0, 0) + netlink.attribute(ip_set.A_PROTOCOL, bytes([ip_set.PROTOCOL]))
every = netlink.message(ip_set.SUBSYSTEM << 8 | ip_set.LIST, netlink.DUMP, head)
try:
    bodies = netlink.ask(ip_set.NETLINK_NETFILTER, [every])
except OSError as error:
    # A kernel without IP sets has none.
    if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.EPROTONOSUPPORT):
        raise
    bodies = []
for body in bodies:
    for kind, data in netlink.attributes(body[4:]):
        if kind == ip_set.A_NAME:
            print(data.rstrip(b"\0").decode())
