import { beforeAll } from 'vitest';
import { bootGuest, describeGuest, GUEST_TEST_MS, type Guest, inGuest } from './guest.ts';
import type { KindCase } from './kind-case.ts';
import { KIND_CASES } from './kinds/index.ts';
import { type Limits, safetySuite } from './safety-suite.ts';

/** A guest kernel starts a process some ten times slower. */
const LIMITS: Limits = { deathSeconds: 8, releaseSeconds: 6, lossSeconds: 6, ttlSeconds: 6 };

function onGuest(kind: KindCase, test: (guest: Guest) => Promise<void>): Promise<void> {
  return inGuest(kind.kind, test, kind.parameters);
}

for (const kind of KIND_CASES.filter(({ runsIn }) => runsIn === 'guest')) {
  describeGuest(`a ${kind.kind} fault on a kernel of its own`, () => {
    beforeAll(async () => void (await bootGuest()), GUEST_TEST_MS);
    safetySuite(kind, onGuest, LIMITS);
  });
}
