import { expect, it } from 'vitest';
import { liveTelemetry } from '../../../functions/probe/live-telemetry.ts';
import type { AgedValue } from '../../../functions/telemetry/prometheus.ts';
import { redisCluster } from '../domain/configuration-fixtures.ts';
import { checkOf, WRITE_LATENCY } from '../domain/hypothesis-fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';

const { telemetry } = redisCluster();
const reading = (answer: () => Promise<AgedValue>) => {
  const asked: string[] = [];
  const prometheus = {
    read: ({ query }: { query: string }) => {
      asked.push(query);
      return answer();
    },
  };
  const clock = new SimulatedClock();
  return { asked, clock, read: liveTelemetry({ 'redis-master': { telemetry, prometheus } }, clock) };
};

it('a check that is in Prometheus has the value that it has now', async () => {
  const { asked, read } = reading(async () => ({ value: 12, ageSeconds: 0.5 }));
  expect(await read(checkOf())).toBe(12);
  expect(asked).toEqual(['max(lag_ms)']);
});

it.each<[string, () => Promise<AgedValue>]>([
  ['cannot be read', () => Promise.reject(new Error('no answer'))],
  ['is too old', async () => ({ value: 12, ageSeconds: 3.1 })],
])('a value that %s is not known', async (_what, answer) => {
  expect(await reading(answer).read(checkOf())).toBeUndefined();
});

it('nobody is asked about a check of a cluster that is not there, or that is not in Prometheus', async () => {
  const { asked, read } = reading(async () => ({ value: 12, ageSeconds: 0.5 }));
  expect(await read(checkOf({ cluster: 'other' }))).toBeUndefined();
  expect(await read(checkOf({ measure: WRITE_LATENCY }))).toBeUndefined();
  expect(asked).toEqual([]);
});

it('nobody is asked more often than its source is scraped, however many look', async () => {
  const { asked, clock, read } = reading(async () => ({ value: 12, ageSeconds: 0.5 }));
  const measure = { ...checkOf().measure, scrapeIntervalSeconds: 15 } as ReturnType<typeof checkOf>['measure'];
  for (let second = 0; second < 30; second++) {
    expect(await read(checkOf({ measure }))).toBe(12);
    await clock.sleep(1000);
  }
  expect(asked).toHaveLength(2);
});
