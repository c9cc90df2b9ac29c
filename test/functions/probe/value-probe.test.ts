import { expect, it } from 'vitest';
import type { ValueAccount } from '../../../functions/domain/value-account.ts';
import type { ValueProbe } from '../../../functions/engines/engine.ts';
import { probe } from '../../../functions/probe/probe.ts';
import { seedExperiment } from '../domain/experiment-fixtures.ts';
import { type Given, iso, logOf } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

const FAULT_AT_MS = 3000;
const ENDS_AT_MS = 9000;

/** A store of values that answers at once, and whose probe has this to say at the end. */
async function measure(account: () => Promise<ValueAccount>) {
  const clock = new SimulatedClock();
  const audit = memoryAuditLog({ clock });
  const values = new Map<string, string>();
  const store: ValueProbe = {
    ...{ shard: 'shard-1', copiesMeasure: 'liveCopies', account },
    connect: async () => {},
    async write(key, value) {
      values.set(key, value);
      return true;
    },
    read: async (key) => values.get(key) ?? null,
    isOnImpacted: async () => true,
    leader: async () => undefined,
    health: async () => ({}),
    listen: () => {},
    close: () => {},
  };
  const fault: Given[] = [
    ['INJECTING', {}, FAULT_AT_MS / 1000],
    ['INJECTED', { injectedAt: iso(FAULT_AT_MS / 1000), nodes: [] }, FAULT_AT_MS / 1000],
  ];
  const read = async () =>
    logOf(
      'exp',
      ['ADMITTED', { experiment: seedExperiment('exp') }, 0],
      ...(clock.monotonicMs() >= FAULT_AT_MS ? fault : []),
      ...(clock.monotonicMs() >= ENDS_AT_MS ? ([['RECOVERY_VERIFIED']] as Given[]) : []),
    );
  await probe('exp', [{ cluster: 'redis-master', store }], {
    ...{ audit: { ...audit, read }, clock, remainingMs: () => 900_000, invocation: 'one' },
    readTelemetry: async () => undefined,
  });
  return audit.detailsOf('PROBE_MEASURED')[0];
}

const bob = { key: 'k', value: 'bob', acknowledgedAt: iso(7), timestampUs: 1 };
const ACCOUNT: ValueAccount = {
  ...{ acknowledged: 200, lost: 2, lossSpanSeconds: 1, overwritten: 1, resurrected: 1, stale: 0, staleReads: 3 },
  unacknowledgedThrough: { 'node-3': 2 },
  examples: {
    overwritten: [{ ...bob, instead: { value: 'alice', timestampUs: 2 } }],
    resurrected: [],
    lost: [],
    stale: [],
  },
};

it('takes the word of the account of a store of values, of its stale reads too, and shows its examples', async () => {
  const { acknowledged: _, lost: __, staleReads: ___, ...values } = ACCOUNT;
  const measured = await measure(async () => ACCOUNT);
  expect(measured).toMatchObject({ acknowledgedWrites: 200, lostAcknowledgedWrites: 2, staleReads: 3, problems: [] });
  expect(measured?.values).toEqual(values);
  expect(measured).not.toHaveProperty('records');
});

it('never reports zero of values that it could not read back', async () => {
  const measured = await measure(() => Promise.reject(new Error('no node answers')));
  expect(measured).toMatchObject({ problems: ['no node answers'] });
  for (const unknown of ['lostAcknowledgedWrites', 'values']) expect(measured).not.toHaveProperty(unknown);
});
