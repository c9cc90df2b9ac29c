"""What a fault may be given, and what it works on. Made from functions/domain/faults/ by `npm run generate`, and again
for each document at synthesis: change them there."""

from __future__ import annotations

# {parameter: (pattern of the whole value, what it is)}
IDENTITY: dict[str, tuple[str, str]] = {
    "experimentId": (
        r"[A-Za-z0-9_-]{1,50}",
        "1-50 letters, digits, underscores and dashes: the experiment that the command belongs to.",
    ),
    "faultId": (
        r"[A-Za-z0-9_-]{1,50}[.][1-9][0-9]{0,2}",
        "the id of the experiment, a dot and a number from 1 to 999: the fault of the experiment.",
    ),
}
# The other parameters that every fault document has.
COMMON: dict[str, tuple[str, str]] = {
    "ttlSeconds": (
        r"([1-9]|[1-9][0-9]|[1-5][0-9]{2}|600)",
        "a whole number from 1 to 600: longest life of the fault in seconds, by the monotonic clock of the host.",
    ),
    "leaseGraceSeconds": (
        r"([2-9]|[1-2][0-9]|30)",
        "a whole number from 2 to 30: the fault is reverted when the lease has not advanced for so many seconds.",
    ),
    "engine": (r"(redis)", "redis: store on the host."),
    "unit": (
        r"[A-Za-z0-9][A-Za-z0-9@._-]{0,99}",
        "1-100 letters, digits, @, dots, dashes and underscores: systemd unit of the store.",
    ),
    "storePorts": (
        r"([1-9]|[1-9][0-9]{1,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])(,([1-9]|"
        r"[1-9][0-9]{1,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])){0,14}",
        "1-15 ports with commas between them: those that the host serves, the one of the node first.",
    ),
    "exemptAddresses": (
        r"([0-9A-Fa-f:.]+(,[0-9A-Fa-f:.]+)*)?",
        "IP addresses with commas between them, or empty: those that are never cut off.",
    ),
    "fence": (r"(redis|none)", "Who guards the rollback against lost writes."),
    "fenceMasterName": (r"[A-Za-z0-9._-]{0,100}", "Sentinel's name of the shard; empty without a fence."),
    "fenceSentinels": (
        r"([0-9A-Fa-f:.\[\]]+(,[0-9A-Fa-f:.\[\]]+)*)?",
        "address:port of every Sentinel of the shard, IPv6 in brackets; empty without a fence.",
    ),
    "fenceCredentialsFile": (
        r"((/[A-Za-z0-9._-]+)+)?",
        "File on the host with the credentials of the store; may be empty.",
    ),
}
# Own parameters of each kind.
PARAMETERS: dict[str, dict[str, tuple[str, str]]] = {
    "network-partition": {
        "peerAddresses": (
            r"[0-9A-Fa-f:.]+(,[0-9A-Fa-f:.]+)*",
            "IP addresses, v4 and v6, with commas between them: every one of every peer, never a network.",
        ),
        "packetLossPct": (
            r"([1-9]|[1-9][0-9]|100)",
            "a whole number from 1 to 100: share of the packets that are lost.",
        ),
        "scope": (r"(isolate|peers)", "isolate, peers: who loses the node; with peers, clients still reach it."),
        "direction": (r"(both|in|out)", "both, in, out: packets that are lost, as the impacted group sees them."),
        "ports": (
            r"(([1-9]|[1-9][0-9]{1,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])(,([1-9]|"
            r"[1-9][0-9]{1,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])){0,14})?",
            "1-15 different ports, each a whole number from 1 to 65535: TCP and UDP, source or destination; with "
            "scope isolate one of the store's is among them; empty: everything.",
        ),
    },
    "network-latency": {
        "peerAddresses": (
            r"[0-9A-Fa-f:.]+(,[0-9A-Fa-f:.]+)*",
            "IP addresses, v4 and v6, with commas between them: every one of every peer, never a network.",
        ),
        "latencyMs": (
            r"([1-9]|[1-9][0-9]{1,3}|10000)",
            "a whole number from 1 to 10000: added to every packet to a peer.",
        ),
        "jitterMs": (r"([0-9]|[1-9][0-9]{1,3}|10000)", "a whole number from 0 to 10000: variation of the latency."),
        "correlationPct": (
            r"([0-9]|[1-9][0-9]|100)",
            "a whole number from 0 to 100: how much one packet is like the one before.",
        ),
    },
    "network-loss": {
        "peerAddresses": (
            r"[0-9A-Fa-f:.]+(,[0-9A-Fa-f:.]+)*",
            "IP addresses, v4 and v6, with commas between them: every one of every peer, never a network.",
        ),
        "packetLossPct": (
            r"([1-9]|[1-9][0-9]|100)",
            "a whole number from 1 to 100: share of the packets that are lost.",
        ),
        "correlationPct": (
            r"([0-9]|[1-9][0-9]|100)",
            "a whole number from 0 to 100: how much one packet is like the one before.",
        ),
    },
    "process-kill": {
        "signal": (r"(KILL|TERM)", "KILL, TERM: sent to the process of the store."),
        "restart": (
            r"(rollback|supervisor)",
            "rollback, supervisor: who starts it again; the rollback only if the supervisor has not.",
        ),
    },
    "process-pause": {
        "pauseSeconds": (
            r"(0|([1-9]|[1-9][0-9]|[1-5][0-9]{2}|600))",
            "a whole number from 1 to 600: length of a pause; 0: until the end.",
        ),
        "repeatEverySeconds": (
            r"(0|([2-9]|[1-9][0-9]|[1-5][0-9]{2}|600))",
            "a whole number from 2 to 600: from the beginning of one pause to that of the next; 0: one pause.",
        ),
    },
    "cpu-spike": {
        "cores": (
            r"([1-9]|[1-9][0-9]|[1-4][0-9]{2}|50[0-9]|51[0-2])",
            "a whole number from 1 to 512: cores to load, no more than the node has.",
        ),
        "loadPct": (r"([1-9]|[1-9][0-9]|100)", "a whole number from 1 to 100: share of each of the cores."),
    },
    "memory-pressure": {
        "memoryBytes": (
            r"(0|(104857[6-9]|10485[8-9][0-9]|1048[6-9][0-9]{2}|1049[0-9]{3}|10[5-9][0-9]{4}|1[1-9][0-9]{5}|"
            r"[2-9][0-9]{6}|[1-9][0-9]{7,12}|[1-6][0-9]{13}|70[0-2][0-9]{11}|703[0-5][0-9]{10}|7036[0-7][0-9]{9}|"
            r"70368[0-6][0-9]{8}|703687[0-3][0-9]{7}|7036874[0-3][0-9]{6}|703687440[0-9]{5}|703687441[0-6][0-9]{4}|"
            r"7036874417[0-6][0-9]{3}|70368744177[0-5][0-9]{2}|703687441776[0-5][0-9]|7036874417766[0-4]))",
            "a whole number from 1048576 to 70368744177664: bytes to hold; 0: left out.",
        ),
        "memoryPct": (
            r"(0|([1-9]|[1-8][0-9]|9[0-5]))",
            "a whole number from 1 to 95: share of the memory of the node; 0: left out.",
        ),
        "reserveBytes": (
            r"(6710886[4-9]|671088[7-9][0-9]|671089[0-9]{2}|67109[0-9]{3}|671[1-9][0-9]{4}|67[2-9][0-9]{5}|"
            r"6[8-9][0-9]{6}|[7-9][0-9]{7}|[1-9][0-9]{8,12}|[1-6][0-9]{13}|70[0-2][0-9]{11}|703[0-5][0-9]{10}|"
            r"7036[0-7][0-9]{9}|70368[0-6][0-9]{8}|703687[0-3][0-9]{7}|7036874[0-3][0-9]{6}|703687440[0-9]{5}|"
            r"703687441[0-6][0-9]{4}|7036874417[0-6][0-9]{3}|70368744177[0-5][0-9]{2}|703687441776[0-5][0-9]|"
            r"7036874417766[0-4])",
            "a whole number from 67108864 to 70368744177664: bytes that stay available.",
        ),
    },
    "disk-full": {
        "dataDirectory": (r"(/[A-Za-z0-9._-]+)+", "an absolute path: a directory on the volume."),
        "fillPct": (
            r"(0|([1-9]|[1-9][0-9]|100))",
            "a whole number from 1 to 100: how full the volume is then; 0: left out.",
        ),
        "fillBytes": (
            r"(0|(104857[6-9]|10485[8-9][0-9]|1048[6-9][0-9]{2}|1049[0-9]{3}|10[5-9][0-9]{4}|1[1-9][0-9]{5}|"
            r"[2-9][0-9]{6}|[1-9][0-9]{7,12}|[1-6][0-9]{13}|70[0-2][0-9]{11}|703[0-5][0-9]{10}|7036[0-7][0-9]{9}|"
            r"70368[0-6][0-9]{8}|703687[0-3][0-9]{7}|7036874[0-3][0-9]{6}|703687440[0-9]{5}|703687441[0-6][0-9]{4}|"
            r"7036874417[0-6][0-9]{3}|70368744177[0-5][0-9]{2}|703687441776[0-5][0-9]|7036874417766[0-4]))",
            "a whole number from 1048576 to 70368744177664: bytes to fill; 0: left out.",
        ),
        "reserveBytes": (
            r"([0-9]|[1-9][0-9]{1,12}|[1-6][0-9]{13}|70[0-2][0-9]{11}|703[0-5][0-9]{10}|7036[0-7][0-9]{9}|"
            r"70368[0-6][0-9]{8}|703687[0-3][0-9]{7}|7036874[0-3][0-9]{6}|703687440[0-9]{5}|703687441[0-6][0-9]{4}|"
            r"7036874417[0-6][0-9]{3}|70368744177[0-5][0-9]{2}|703687441776[0-5][0-9]|7036874417766[0-4])",
            "a whole number from 0 to 70368744177664: bytes that stay free.",
        ),
        "allowRootVolume": (r"(yes|no)", "yes, no: whether data on the root volume is no reason to refuse."),
    },
    "disk-io": {
        "dataDirectory": (r"(/[A-Za-z0-9._-]+)+", "an absolute path: a directory on the volume."),
        "workers": (r"([1-9]|1[0-6])", "a whole number from 1 to 16: processes."),
        "bytesPerSecond": (
            r"(104857[6-9]|10485[8-9][0-9]|1048[6-9][0-9]{2}|1049[0-9]{3}|10[5-9][0-9]{4}|1[1-9][0-9]{5}|"
            r"[2-9][0-9]{6}|[1-9][0-9]{7,8}|[1-3][0-9]{9}|4[0-1][0-9]{8}|42[0-8][0-9]{7}|429[0-3][0-9]{6}|"
            r"4294[0-8][0-9]{5}|42949[0-5][0-9]{4}|429496[0-6][0-9]{3}|4294967[0-1][0-9]{2}|42949672[0-8][0-9]|"
            r"429496729[0-6])",
            "a whole number from 1048576 to 4294967296: bytes a second, all workers together.",
        ),
    },
    "clock-drift": {
        "disposable": (r"(yes|no)", "yes, no: are the data of the cluster disposable?"),
        "offsetMs": (
            r"-?([1-9]|[1-9][0-9]{1,4}|1[0-9]{5}|2[0-3][0-9]{4}|240000)",
            "a whole number from -240000 to 240000, not 0: how far the clock is moved; beyond 500 either way only on "
            "a cluster that is configured as disposable.",
        ),
    },
}
# "0" stands for what was left out. exactlyOne: one of the two is "0". onlyWith: where the second is "0", the first is.
# atMost: the first is no more than the second. lessThan: the second is "0", or more than the first.
RULES: dict[str, list[tuple[str, str, str]]] = {
    "network-partition": [],
    "network-latency": [("atMost", "jitterMs", "latencyMs"), ("onlyWith", "correlationPct", "jitterMs")],
    "network-loss": [],
    "process-kill": [],
    "process-pause": [
        ("onlyWith", "repeatEverySeconds", "pauseSeconds"),
        ("lessThan", "pauseSeconds", "repeatEverySeconds"),
    ],
    "cpu-spike": [],
    "memory-pressure": [("exactlyOne", "memoryBytes", "memoryPct")],
    "disk-full": [("exactlyOne", "fillPct", "fillBytes")],
    "disk-io": [],
    "clock-drift": [],
}
# What no two faults of a host may share.
RESOURCES: dict[str, str] = {
    "network-partition": "packet-filter",
    "network-latency": "queueing",
    "network-loss": "queueing",
    "process-kill": "process",
    "process-pause": "process",
    "cpu-spike": "cpu",
    "memory-pressure": "memory",
    "disk-full": "disk-space",
    "disk-io": "disk-io",
    "clock-drift": "clock",
}
