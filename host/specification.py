"""What a fault may be given, and what it works on. Made from functions/domain/faults/ by `npm run generate`, and again
for each document at synthesis: change them there."""

from __future__ import annotations

# {parameter: pattern of the whole value}
IDENTITY: dict[str, str] = {"experimentId": r"[A-Za-z0-9_-]{1,50}", "faultId": r"[A-Za-z0-9_-]{1,50}[.][1-9][0-9]{0,2}"}
# The other parameters that every fault document has.
COMMON: dict[str, str] = {
    "ttlSeconds": r"([1-9]|[1-9][0-9]|[1-5][0-9]{2}|600)",
    "leaseGraceSeconds": r"([2-9]|[1-2][0-9]|30)",
    "engine": r"(redis|kafka|cassandra)",
    "unit": r"[A-Za-z0-9][A-Za-z0-9@._-]{0,99}",
    "storePorts": (
        r"([1-9]|[1-9][0-9]{1,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])(,([1-9]|"
        r"[1-9][0-9]{1,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])){0,14}"
    ),
    "exemptAddresses": r"([0-9A-Fa-f:.]+(,[0-9A-Fa-f:.]+)*)?",
    "fence": r"(redis|none)",
    "fenceMasterName": r"[A-Za-z0-9._-]{0,100}",
    "fenceSentinels": r"([0-9A-Fa-f:.\[\]]+(,[0-9A-Fa-f:.\[\]]+)*)?",
    "fenceCredentialsFile": r"((/[A-Za-z0-9._-]+)+)?",
    "fenceServerNames": r"([A-Za-z0-9.-]+(,[A-Za-z0-9.-]+)*)?",
    "fenceCaFile": r"((/[A-Za-z0-9._-]+)+)?",
    "fenceCertificateFile": r"((/[A-Za-z0-9._-]+)+)?",
    "fenceKeyFile": r"((/[A-Za-z0-9._-]+)+)?",
}
# Own parameters of each kind, and what it has instead of a common one.
PARAMETERS: dict[str, dict[str, str]] = {
    "network-partition": {
        "peerAddresses": r"[0-9A-Fa-f:.]+(,[0-9A-Fa-f:.]+)*",
        "packetLossPct": r"([1-9]|[1-9][0-9]|100)",
        "scope": r"(isolate|peers)",
        "direction": r"(both|in|out)",
        "ports": (
            r"(([1-9]|[1-9][0-9]{1,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])(,([1-9]|"
            r"[1-9][0-9]{1,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])){0,14})?"
        ),
        "flap": r"(([1-9]|[1-9][0-9]|[1-5][0-9]{2}|600),([1-9]|[1-9][0-9]|[1-5][0-9]{2}|600))?",
    },
    "network-latency": {
        "peerAddresses": r"[0-9A-Fa-f:.]+(,[0-9A-Fa-f:.]+)*",
        "delayWorker": r"(yes|no)",
        "latencyMs": r"([1-9]|[1-9][0-9]{1,3}|10000)",
        "jitterMs": r"([0-9]|[1-9][0-9]{1,3}|10000)",
        "correlationPct": r"([0-9]|[1-9][0-9]|100)",
    },
    "network-loss": {
        "peerAddresses": r"[0-9A-Fa-f:.]+(,[0-9A-Fa-f:.]+)*",
        "packetLossPct": r"([1-9]|[1-9][0-9]|100)",
        "correlationPct": r"([0-9]|[1-9][0-9]|100)",
        "flap": r"(([1-9]|[1-9][0-9]|[1-5][0-9]{2}|600),([1-9]|[1-9][0-9]|[1-5][0-9]{2}|600))?",
    },
    "process-kill": {"signal": r"(KILL|TERM)", "restart": r"(rollback|supervisor)"},
    "process-pause": {
        "pauseSeconds": r"(0|([1-9]|[1-9][0-9]|[1-5][0-9]{2}|600))",
        "repeatEverySeconds": r"(0|([2-9]|[1-9][0-9]|[1-5][0-9]{2}|600))",
    },
    "cpu-spike": {
        "fence": r"none",
        "cores": r"([1-9]|[1-9][0-9]|[1-4][0-9]{2}|50[0-9]|51[0-2])",
        "loadPct": r"([1-9]|[1-9][0-9]|100)",
    },
    "memory-pressure": {
        "fence": r"none",
        "memoryBytes": (
            r"(0|(104857[6-9]|10485[8-9][0-9]|1048[6-9][0-9]{2}|1049[0-9]{3}|10[5-9][0-9]{4}|1[1-9][0-9]{5}|"
            r"[2-9][0-9]{6}|[1-9][0-9]{7,12}|[1-6][0-9]{13}|70[0-2][0-9]{11}|703[0-5][0-9]{10}|7036[0-7][0-9]{9}|"
            r"70368[0-6][0-9]{8}|703687[0-3][0-9]{7}|7036874[0-3][0-9]{6}|703687440[0-9]{5}|703687441[0-6][0-9]{4}|"
            r"7036874417[0-6][0-9]{3}|70368744177[0-5][0-9]{2}|703687441776[0-5][0-9]|7036874417766[0-4]))"
        ),
        "memoryPct": r"(0|([1-9]|[1-8][0-9]|9[0-5]))",
        "reserveBytes": (
            r"(6710886[4-9]|671088[7-9][0-9]|671089[0-9]{2}|67109[0-9]{3}|671[1-9][0-9]{4}|67[2-9][0-9]{5}|"
            r"6[8-9][0-9]{6}|[7-9][0-9]{7}|[1-9][0-9]{8,12}|[1-6][0-9]{13}|70[0-2][0-9]{11}|703[0-5][0-9]{10}|"
            r"7036[0-7][0-9]{9}|70368[0-6][0-9]{8}|703687[0-3][0-9]{7}|7036874[0-3][0-9]{6}|703687440[0-9]{5}|"
            r"703687441[0-6][0-9]{4}|7036874417[0-6][0-9]{3}|70368744177[0-5][0-9]{2}|703687441776[0-5][0-9]|"
            r"7036874417766[0-4])"
        ),
    },
    "disk-full": {
        "fence": r"none",
        "dataDirectory": r"(/[A-Za-z0-9._-]+)+",
        "fillPct": r"(0|([1-9]|[1-9][0-9]|100))",
        "fillBytes": (
            r"(0|(104857[6-9]|10485[8-9][0-9]|1048[6-9][0-9]{2}|1049[0-9]{3}|10[5-9][0-9]{4}|1[1-9][0-9]{5}|"
            r"[2-9][0-9]{6}|[1-9][0-9]{7,12}|[1-6][0-9]{13}|70[0-2][0-9]{11}|703[0-5][0-9]{10}|7036[0-7][0-9]{9}|"
            r"70368[0-6][0-9]{8}|703687[0-3][0-9]{7}|7036874[0-3][0-9]{6}|703687440[0-9]{5}|703687441[0-6][0-9]{4}|"
            r"7036874417[0-6][0-9]{3}|70368744177[0-5][0-9]{2}|703687441776[0-5][0-9]|7036874417766[0-4]))"
        ),
        "reserveBytes": (
            r"([0-9]|[1-9][0-9]{1,12}|[1-6][0-9]{13}|70[0-2][0-9]{11}|703[0-5][0-9]{10}|7036[0-7][0-9]{9}|"
            r"70368[0-6][0-9]{8}|703687[0-3][0-9]{7}|7036874[0-3][0-9]{6}|703687440[0-9]{5}|703687441[0-6][0-9]{4}|"
            r"7036874417[0-6][0-9]{3}|70368744177[0-5][0-9]{2}|703687441776[0-5][0-9]|7036874417766[0-4])"
        ),
        "allowRootVolume": r"(yes|no)",
    },
    "disk-io": {
        "fence": r"none",
        "dataDirectory": r"(/[A-Za-z0-9._-]+)+",
        "workers": r"([1-9]|1[0-6])",
        "bytesPerSecond": (
            r"(104857[6-9]|10485[8-9][0-9]|1048[6-9][0-9]{2}|1049[0-9]{3}|10[5-9][0-9]{4}|1[1-9][0-9]{5}|[2-9][0-9]{6}|"
            r"[1-9][0-9]{7,8}|[1-3][0-9]{9}|4[0-1][0-9]{8}|42[0-8][0-9]{7}|429[0-3][0-9]{6}|4294[0-8][0-9]{5}|"
            r"42949[0-5][0-9]{4}|429496[0-6][0-9]{3}|4294967[0-1][0-9]{2}|42949672[0-8][0-9]|429496729[0-6])"
        ),
    },
    "clock-drift": {
        "fence": r"none",
        "disposable": r"(yes|no)",
        "offsetMs": r"-?([1-9]|[1-9][0-9]{1,4}|1[0-9]{5}|2[0-3][0-9]{4}|240000)",
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
