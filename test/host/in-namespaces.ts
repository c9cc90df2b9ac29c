import { describe } from 'vitest';
import type { KindCase } from './kind-case.ts';
import { KIND_CASES } from './kinds/index.ts';
import { type Limits, type Share, safetySuite } from './safety-suite.ts';
import { inWorld, type World } from './world.ts';

/** For hosts beside each other on a machine that others use too: test/host/alone/promised-times.test.ts has the promised ones. */
const LIMITS: Limits = { deathSeconds: 2.5, releaseSeconds: 2, lossSeconds: 1.5, ttlSeconds: 1.5 };

function inNamespaces(kind: KindCase, test: (world: World) => Promise<void>): Promise<void> {
  return inWorld(kind.kind, test, kind.ownStore === undefined);
}

/** The safety suite of every kind that needs no kernel of its own. */
export function safetyInNamespaces(share: Share, kinds: (kind: KindCase) => boolean = () => true): void {
  for (const kind of KIND_CASES.filter(({ runsIn }) => runsIn !== 'guest').filter(kinds)) {
    describe.concurrent(`a ${kind.kind} fault`, () => safetySuite(kind, inNamespaces, LIMITS, share));
  }
}
