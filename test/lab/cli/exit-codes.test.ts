import { describe, expect, test } from 'vitest';
import { experimentSchema } from '../../../cli/api-documents.ts';
import { EXIT, exitCodeOf, succeeded } from '../../../lab/cli/exit-codes.ts';

function timeline(...types: string[]) {
  return types.map((type, index) => ({ sequence: index + 1, type, at: '2026-05-29T13:12:00.000Z', summary: type }));
}
const clean = { node: 'redis-node-3', outcome: 'REVERTED', leftovers: [] as string[] };
const COMPLETED = {
  experimentId: 'exp_1',
  status: 'COMPLETED',
  outcome: 'CONFIRMED',
  nodes: [clean] as object[],
  timeline: timeline('ADMITTED', 'INJECTED', 'ROLLED_BACK', 'RECOVERY_VERIFIED', 'CONCLUDED'),
};
const read = (changes: object) => experimentSchema.parse({ ...COMPLETED, ...changes });

describe('lab run', () => {
  test('succeeds only when completed, rolled back, verified clean and confirmed', () => {
    expect(succeeded(read({}))).toBe(true);
    for (const changes of [
      { outcome: 'DEVIATED' },
      { outcome: 'INCONCLUSIVE' },
      { status: 'ABORTED' },
      { status: 'ROLLBACK_FAILED' },
      { nodes: [] },
      { nodes: [{ podName: 'redis-node-3', faultState: 'REVERTED' }] },
      { nodes: [{ ...clean, leftovers: ['-A INPUT'] }] },
      { nodes: [{ ...clean, outcome: 'FAILED' }] },
      { nodes: [{ ...clean, outcome: 'NOTHING_TO_REVERT' }] },
      { timeline: timeline('ADMITTED', 'INJECTED', 'ROLLED_BACK', 'CONCLUDED') },
      { timeline: timeline('ADMITTED', 'INJECTED', 'RECOVERY_VERIFIED', 'CONCLUDED') },
    ]) {
      expect(succeeded(read(changes)), JSON.stringify(changes)).toBe(false);
    }
  });

  test('tells refused, interrupted, failed and succeeded apart', () => {
    const ended = { kind: 'ended', document: read({}) } as const;
    expect(exitCodeOf(ended, false)).toBe(EXIT.succeeded);
    expect(exitCodeOf(ended, true)).toBe(EXIT.interrupted);
    expect(exitCodeOf({ kind: 'ended', document: read({ outcome: 'DEVIATED' }) }, false)).toBe(EXIT.failed);
    expect(exitCodeOf({ kind: 'lost', reason: '' }, true)).toBe(EXIT.failed);
    expect(exitCodeOf({ kind: 'not started' }, true)).toBe(EXIT.interrupted);
    expect(exitCodeOf({ kind: 'refused', answer: { status: 409, body: {} } }, true)).toBe(EXIT.refused);
    expect(exitCodeOf({ kind: 'ran before', document: read({}) }, false)).toBe(EXIT.refused);
  });
});
