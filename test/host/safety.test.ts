import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { HOST_FAULT_KINDS, scriptName } from '../../functions/domain/faults/catalogue.ts';
import type { KindCase } from './kind-case.ts';
import { KIND_CASES } from './kinds/index.ts';
import { type Limits, safetySuite } from './safety-suite.ts';
import { inWorld, type World } from './world.ts';

/** What the design promises, and what this machine, which is shared and noisy, may take for a look. */
const LIMITS: Limits = { deathSeconds: 2.5, releaseSeconds: 2, lossSeconds: 1.5, ttlSeconds: 1.5 };

function inNamespaces(kind: KindCase, test: (world: World) => Promise<void>): Promise<void> {
  return inWorld(kind.kind, test, kind.ownStore === undefined);
}

for (const kind of KIND_CASES.filter(({ runsIn }) => runsIn === 'namespace')) {
  describe.concurrent(`a ${kind.kind} fault`, () => safetySuite(kind, inNamespaces, LIMITS));
}

describe('the safety suite', () => {
  it('leaves out no kind that hosts can have', () => {
    const kinds = HOST_FAULT_KINDS.map(scriptName);
    expect(KIND_CASES.map(({ kind }) => kind).sort()).toEqual(kinds.sort());
  });

  it('runs on a guest kernel for every kind that needs one', () => {
    for (const { kind } of KIND_CASES.filter(({ runsIn }) => runsIn === 'guest')) {
      const file = new URL(`../guest/safety-${kind}.test.ts`, import.meta.url);
      expect(readFileSync(file, 'utf8')).toContain(`kinds/${kind}.ts`);
    }
  });
});
