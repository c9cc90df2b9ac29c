"""Bounds and names that the host has in common with the control plane. Made from functions/domain/ (timing.ts,
names.ts, faults/network-latency.ts) by `npm run generate`, and again for each document: change them there."""

TTL_SECONDS = (1, 600)
LEASE_GRACE_SECONDS = (2, 30)
POLL_SECONDS = 0.5
POLL_TIMEOUT_SECONDS = 0.4
ARMING_SECONDS = 10
INJECT_ANSWER_SECONDS = 14
REVERT_SECONDS = 5
FENCE_SECONDS = 15
WORKER_PACKETS_PER_SECOND = 5000
WORKER_HELD_BYTES = 16777216
KILL_SWITCH_ID = "GLOBAL"
LEASE_TABLE_VARIABLE = "HOLDFAST_LEASE_TABLE"
URL_SUFFIX_VARIABLE = "HOLDFAST_URL_SUFFIX"
