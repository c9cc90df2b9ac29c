import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { HOST_FAULT_KINDS, scriptName } from '../../functions/domain/faults/catalogue.ts';
import { safetyInNamespaces } from './in-namespaces.ts';
import { KIND_CASES } from './kinds/index.ts';

safetyInNamespaces('change', ({ kind }) => kind.startsWith('network-') || kind.startsWith('process-'));

describe('the safety suite', () => {
  it('leaves out no kind that hosts can have', () => {
    const kinds = HOST_FAULT_KINDS.map(scriptName);
    expect(KIND_CASES.map(({ kind }) => kind).sort()).toEqual(kinds.sort());
  });

  it('runs on a guest kernel for every kind that needs one', () => {
    for (const { kind } of KIND_CASES.filter(({ runsIn }) => runsIn !== 'namespace')) {
      const file = new URL(`../guest/safety-${kind}.test.ts`, import.meta.url);
      expect(readFileSync(file, 'utf8')).toContain(`kinds/${kind}.ts`);
    }
  });
});
