import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { DELAY_WORKER } from '../../functions/domain/faults/network-latency.ts';
import { ENVIRONMENT, KILL_SWITCH_ID } from '../../functions/domain/names.ts';
import { HOST, LEASE_GRACE_SECONDS, TTL_SECONDS } from '../../functions/domain/timing.ts';
import { BOUNDS_FILE, hostBounds } from '../../lib/host-bounds.ts';

const FILE = fileURLToPath(new URL(`../../host/${BOUNDS_FILE}`, import.meta.url));
/** What Python makes of a module: its names in capitals, as JSON. */
const READ = `import json, runpy, sys
print(json.dumps({name: value for name, value in runpy.run_path(sys.argv[1]).items() if name.isupper()}))`;

describe('host/bounds.py', () => {
  it('is what the control plane says now; `npm run generate` writes it', () => {
    expect(readFileSync(FILE, 'utf8')).toBe(hostBounds());
  });

  it('gives the host the bounds that the control plane counts with, and the names they have in common', () => {
    expect(JSON.parse(execFileSync('/usr/bin/python3', ['-I', '-B', '-c', READ, FILE], { encoding: 'utf8' }))).toEqual({
      TTL_SECONDS: [TTL_SECONDS.min, TTL_SECONDS.max],
      LEASE_GRACE_SECONDS: [LEASE_GRACE_SECONDS.min, LEASE_GRACE_SECONDS.max],
      POLL_SECONDS: HOST.pollSeconds,
      POLL_TIMEOUT_SECONDS: HOST.pollTimeoutSeconds,
      ARMING_SECONDS: HOST.armingSeconds,
      INJECT_ANSWER_SECONDS: HOST.injectAnswerSeconds,
      REVERT_SECONDS: HOST.revertSeconds,
      FENCE_SECONDS: HOST.fenceSeconds,
      WORKER_PACKETS_PER_SECOND: DELAY_WORKER.packetsPerSecond,
      WORKER_HELD_BYTES: DELAY_WORKER.heldBytes,
      KILL_SWITCH_ID,
      LEASE_TABLE_VARIABLE: ENVIRONMENT.leaseTable,
      URL_SUFFIX_VARIABLE: ENVIRONMENT.urlSuffix,
    });
  });
});
