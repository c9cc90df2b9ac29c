import { describe, expect, it } from 'vitest';
import { recoverySecondsOf } from '../../../functions/engines/recovery-seconds.ts';
import { cassandraCluster } from './cassandra/fixtures.ts';

const { budgets, ...cluster } = cassandraCluster();
const waitedFor = (recoverySeconds: number, offsetMs: number) =>
  recoverySecondsOf({ ...cluster, budgets: { ...budgets, recoverySeconds } }, [
    { faultId: 'exp.1', parameters: { kind: 'CLOCK_DRIFT', offsetMs }, impactedNodes: [] },
  ]);

describe('how long a recovery is waited for', () => {
  it('is as long as the store goes on with the fault, where its budget is shorter', () => {
    expect(waitedFor(60, 30_500)).toBe(60);
    expect(waitedFor(10, 30_500)).toBe(31);
    expect(waitedFor(10, -30_500)).toBe(10);
  });
});
