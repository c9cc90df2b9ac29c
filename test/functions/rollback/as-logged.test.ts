import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import { asLogged } from '../../../functions/rollback/as-logged.ts';
import { experimentOf, hostFault, seedExperiment } from '../domain/experiment-fixtures.ts';
import { fullRun, logOf } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';

const experimentId = 'exp_chaos_redis_019';
/** What somebody hands over who starts the step himself. */
const forged = {
  experimentId,
  experiment: experimentOf([hostFault(9, 0, 'redis-other')]),
  rollback: {
    outcome: 'ROLLED_BACK' as const,
    nodes: [{ node: 'node-9', faultId: 'exp.9', outcome: 'REVERTED' as const }],
  },
};
const given = (read: () => Promise<AuditEntry[]>) => asLogged(forged, { read }, new SimulatedClock());

describe('what comes after a fault', () => {
  it('is about the experiment and the rollback in the log, whatever is handed over', async () => {
    const { experiment, rollback } = await given(async () => fullRun());
    expect(experiment).toEqual(seedExperiment());
    expect(rollback?.nodes.map(({ node }) => node)).toEqual(['redis-node-3']);
  });

  it('is about nothing where nothing was admitted', async () => {
    const { experiment } = await given(async () => logOf(experimentId, ['ROLLING_BACK']));
    expect(experiment).toMatchObject({ experimentId, faults: [] });
  });

  it.each<[string, () => Promise<AuditEntry[]>]>([
    ['cannot be read', () => Promise.reject(new Error('down'))],
    ['never answers', () => new Promise(() => {})],
  ])('goes by what the run carries when the log %s', async (_what, read) => {
    expect(await given(read)).toEqual(forged);
  });
});
