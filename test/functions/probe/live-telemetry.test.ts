import { expect, it } from 'vitest';
import { readNow } from '../../../functions/probe/live-telemetry.ts';
import type { AgedValue } from '../../../functions/telemetry/prometheus.ts';
import { redisCluster } from '../domain/configuration-fixtures.ts';
import { checkOf, WRITE_LATENCY } from '../domain/hypothesis-fixtures.ts';

const { telemetry } = redisCluster();
const reading = (answer: () => Promise<AgedValue>) => {
  const asked: string[] = [];
  const prometheus = {
    read: ({ query }: { query: string }) => {
      asked.push(query);
      return answer();
    },
  };
  return { asked, clusters: { 'redis-master': { telemetry, prometheus } } };
};

it('a check that is in Prometheus has the value that it has now', async () => {
  const { asked, clusters } = reading(async () => ({ value: 12, ageSeconds: 0.5 }));
  expect(await readNow(checkOf(), clusters)).toBe(12);
  expect(asked).toEqual(['max(lag_ms)']);
});

it.each<[string, () => Promise<AgedValue>]>([
  ['cannot be read', () => Promise.reject(new Error('no answer'))],
  ['is too old', async () => ({ value: 12, ageSeconds: 3.1 })],
])('a value that %s is not known', async (_what, answer) => {
  expect(await readNow(checkOf(), reading(answer).clusters)).toBeUndefined();
});

it('nobody is asked about a check of a cluster that is not there, or that is not in Prometheus', async () => {
  const { asked, clusters } = reading(async () => ({ value: 12, ageSeconds: 0.5 }));
  expect(await readNow(checkOf({ cluster: 'other' }), clusters)).toBeUndefined();
  expect(await readNow(checkOf({ measure: WRITE_LATENCY }), clusters)).toBeUndefined();
  expect(asked).toEqual([]);
});
