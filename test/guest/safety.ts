import { beforeAll } from 'vitest';
import type { KindCase } from '../host/kind-case.ts';
import { type Limits, type Share, safetySuite } from '../host/safety-suite.ts';
import { bootGuest, describeGuest, GUEST_TEST_MS, type Guest, inGuest } from './guest.ts';

/** A guest kernel starts a process some ten times slower. */
const LIMITS: Limits = { deathSeconds: 8, releaseSeconds: 6, lossSeconds: 6, ttlSeconds: 6 };

function onGuest(kind: KindCase, test: (guest: Guest) => Promise<void>): Promise<void> {
  return inGuest(kind.kind, test, kind.parameters);
}

/** The safety suite of a kind that needs a kernel of its own; a file a kind, so that two guests share the work. */
export function guestSafetySuite(kind: KindCase, share: Share): void {
  describeGuest(`a ${kind.kind} fault on a kernel of its own`, () => {
    beforeAll(async () => void (await bootGuest()), GUEST_TEST_MS);
    safetySuite(kind, onGuest, LIMITS, share);
  });
}
