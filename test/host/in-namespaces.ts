import { describe } from 'vitest';
import type { KindCase } from './kind-case.ts';
import { KIND_CASES } from './kinds/index.ts';
import { type Limits, type Share, safetySuite } from './safety-suite.ts';
import { inWorld, type World } from './world.ts';

/** What the design promises, and what this machine, which is shared and noisy, may take for a look. */
const LIMITS: Limits = { deathSeconds: 2.5, releaseSeconds: 2, lossSeconds: 1.5, ttlSeconds: 1.5 };
/** A look at a partition is one connection: it is held to the bounds of the design themselves. */
const PARTITION_LIMITS: Limits = { ...LIMITS, deathSeconds: 2, releaseSeconds: 1, lossSeconds: 0.5 };

function inNamespaces(kind: KindCase, test: (world: World) => Promise<void>): Promise<void> {
  return inWorld(kind.kind, test, kind.ownStore === undefined);
}

/** The safety suite of every kind that needs no kernel of its own. */
export function safetyInNamespaces(share: Share, kinds: (kind: KindCase) => boolean = () => true): void {
  for (const kind of KIND_CASES.filter(({ runsIn }) => runsIn === 'namespace').filter(kinds)) {
    const limits = kind.kind === 'network-partition' ? PARTITION_LIMITS : LIMITS;
    describe.concurrent(`a ${kind.kind} fault`, () => safetySuite(kind, inNamespaces, limits, share));
  }
}
