import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { budgetLimits, judgeBudgets } from '../../../functions/domain/budgets.ts';
import type { ShardEvidence } from '../../../functions/domain/evidence.ts';
import { configuration } from './configuration-fixtures.ts';
import { seedExperiment } from './experiment-fixtures.ts';

const limits = { rtoSeconds: 15, unavailableSeconds: 30, lostAcknowledgedWrites: 0 };
const cluster = 'redis-master';
const evidence = (change: Partial<ShardEvidence> = {}): ShardEvidence => ({
  ...{ cluster, shard: 'shard-1', stillFailing: false },
  ...{ rtoSeconds: 6.5, unavailableSeconds: 8, lostAcknowledgedWrites: 0, ...change },
});
const unseen: ShardEvidence = { cluster, shard: 'shard-2', stillFailing: false, problem: 'no report' };
const judged = (...shards: ShardEvidence[]) => judgeBudgets({ [cluster]: limits }, shards);
const met = (...shards: ShardEvidence[]) => judged(...shards).map((budget) => budget.met);

describe('the budgets', () => {
  it('are met by what is measured within their limits, and by no more than that', () => {
    expect(met(evidence())).toEqual([true, true, true]);
    expect(met(evidence({ rtoSeconds: 15, unavailableSeconds: 30 }))).toEqual([true, true, true]);
    expect(met(evidence({ rtoSeconds: 15.01 }))).toEqual([false, true, true]);
    expect(met(evidence({ unavailableSeconds: 30.01 }))).toEqual([true, false, true]);
    expect(met(evidence({ lostAcknowledgedWrites: 1 }))).toEqual([true, true, false]);
  });

  it('are not met where nothing was measured', () => {
    for (const nothing of [judged(), judged(unseen)]) {
      expect(nothing).toEqual(Object.entries(limits).map(([name, limit]) => ({ cluster, name, limit, met: false })));
    }
  });

  it('take the worst of the shards, and are unknown where one was not measured', () => {
    const worse = evidence({ shard: 'shard-2', rtoSeconds: 9 });
    expect(judged(evidence(), worse)[0]).toMatchObject({ measured: 9, met: true });
    expect(judged(evidence(), unseen)[0]).toEqual({ cluster, name: 'rtoSeconds', limit: 15, met: false });
  });

  it('are exceeded when one shard is known to exceed them, whatever is not known of another', () => {
    expect(judged(evidence({ rtoSeconds: 20 }), unseen)[0]).toMatchObject({ measured: 20, met: false });
  });

  it('are those of each cluster, held against its own shards', () => {
    const tight = { ...limits, rtoSeconds: 5 };
    const both = judgeBudgets({ a: limits, b: tight }, [evidence({ cluster: 'a' }), evidence({ cluster: 'b' })]);
    expect(both.filter(({ name }) => name === 'rtoSeconds')).toMatchObject([
      { cluster: 'a', limit: 15, met: true },
      { cluster: 'b', limit: 5, met: false },
    ]);
  });

  it('are never met unless every shard was measured within them', () => {
    const seconds = fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined });
    fc.assert(
      fc.property(fc.array(seconds, { maxLength: 5 }), (values) => {
        const shards = values.map((value) => ({ ...unseen, ...(value === undefined ? {} : { rtoSeconds: value }) }));
        const all = values.length > 0 && values.every((value) => value !== undefined && value <= 15);
        expect(met(...shards)[0]).toBe(all);
      }),
    );
  });
});

describe('the limits of a run', () => {
  const { clusters } = configuration({ budgets: { rtoSeconds: 10 } });

  it('allow by default twice the longest outage in all: one when the fault comes and one when it goes', () => {
    expect(budgetLimits(seedExperiment(), clusters)[cluster]).toMatchObject({ rtoSeconds: 10, unavailableSeconds: 20 });
    const own = configuration({ budgets: { rtoSeconds: 10, unavailableSeconds: 12 } });
    expect(budgetLimits(seedExperiment(), own.clusters)[cluster]).toMatchObject({ unavailableSeconds: 12 });
  });

  it('are narrowed by the request, and never widened', () => {
    const asked = (unavailableSeconds: number) =>
      budgetLimits({ ...seedExperiment(), budgets: { unavailableSeconds } }, clusters)[cluster]?.unavailableSeconds;
    expect([asked(3), asked(0), asked(500)]).toEqual([3, 0, 20]);
  });

  it('allow nothing of a cluster that is not configured any more', () => {
    const nothing = { rtoSeconds: 0, unavailableSeconds: 0, lostAcknowledgedWrites: 0 };
    expect(budgetLimits(seedExperiment(), {})).toEqual({ [cluster]: nothing });
  });
});
