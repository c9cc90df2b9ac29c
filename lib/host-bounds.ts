import { DELAY_WORKER } from '../functions/domain/faults/network-latency.ts';
import { ENVIRONMENT, KILL_SWITCH_ID } from '../functions/domain/names.ts';
import { HOST, LEASE_GRACE_SECONDS, TTL_SECONDS } from '../functions/domain/timing.ts';

/** The module of the host program that is written here, at synthesis. */
export const BOUNDS_FILE = 'bounds.py';

/** What the host program has in common with the control plane, as Python; `npm run generate` keeps a copy in `host/`. */
export function hostBounds(): string {
  const range = ({ min, max }: { min: number; max: number }) => `(${min}, ${max})`;
  return `"""Bounds and names that the host has in common with the control plane. Made from functions/domain/ (timing.ts,
names.ts, faults/network-latency.ts) by \`npm run generate\`, and again for each document: change them there."""

TTL_SECONDS = ${range(TTL_SECONDS)}
LEASE_GRACE_SECONDS = ${range(LEASE_GRACE_SECONDS)}
POLL_SECONDS = ${HOST.pollSeconds}
POLL_TIMEOUT_SECONDS = ${HOST.pollTimeoutSeconds}
ARMING_SECONDS = ${HOST.armingSeconds}
INJECT_ANSWER_SECONDS = ${HOST.injectAnswerSeconds}
REVERT_SECONDS = ${HOST.revertSeconds}
FENCE_SECONDS = ${HOST.fenceSeconds}
WORKER_PACKETS_PER_SECOND = ${DELAY_WORKER.packetsPerSecond}
WORKER_HELD_BYTES = ${DELAY_WORKER.heldBytes}
KILL_SWITCH_ID = "${KILL_SWITCH_ID}"
LEASE_TABLE_VARIABLE = "${ENVIRONMENT.leaseTable}"
URL_SUFFIX_VARIABLE = "${ENVIRONMENT.urlSuffix}"
`;
}
