import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ORDERS_RING } from '../../../lab/fleet/cassandra/hosts.ts';
import { KAFKA_HOSTS } from '../../../lab/fleet/kafka/hosts.ts';
import { checkIn, describeEnds, expectEnd, PATIENCE_MS } from '../engine-examples.ts';
import { exampleCopy } from '../example-copy.ts';
import { SystemUnderTest } from '../harness.ts';

const HOSTS = [...KAFKA_HOSTS, ...ORDERS_RING.hosts];
const LAG = 'consumers stay close behind';

describeEnds(HOSTS, {
  'cassandra-kill-kafka-latency.json': {
    ...{ outcome: 'DEVIATED', losesNothing: true },
    number(document) {
      const failed = document.checks.filter(({ result }) => result !== 'HELD').map(({ name }) => name);
      expect(failed).toEqual([LAG]);
      expect(checkIn(document, LAG).measured).toBeGreaterThan(200);
      expect(checkIn(document, 'no client of Cassandra notices').measured).toBe(0);
      // Both engines in one run: each has faults, and each its clients' account of them.
      const clusters = document.budgets.filter(({ name }) => name === 'rtoSeconds').map(({ cluster }) => cluster);
      expect(clusters.sort()).toEqual(['cassandra-orders', 'kafka-orders']);
    },
  },
});

/** What clients of one engine see while another one's disk is full. */
function unaffected(shards: string) {
  const counted = (more = '') => `sum(rate(http_requests_total{shard=~"${shards}"${more}}[5s]))`;
  const buckets = `http_shard_duration_seconds_bucket{shard=~"${shards}"}`;
  return [
    {
      name: 'none of the other engine’s clients is turned away',
      measure: {
        kind: 'PROMQL',
        query: `100 * ${counted(',code=~"5.."')} / ${counted()}`,
        freshness: 'http_requests_total',
        control: `count(http_requests_total{shard=~"${shards}"})`,
      },
      tolerance: { atMost: 0, unit: '%' },
      when: 'THROUGHOUT',
    },
    {
      name: 'half of them are answered within 100 ms',
      measure: {
        kind: 'PROMQL',
        query: `1000 * histogram_quantile(0.5, sum by (le) (rate(${buckets}[5s])))`,
        freshness: 'http_shard_duration_seconds_bucket',
        control: `count(${buckets})`,
      },
      tolerance: { atMost: 100, unit: 'ms' },
      when: 'THROUGHOUT',
    },
  ];
}

const NO_REBALANCE = {
  name: 'the consumer group does not rebalance',
  measure: {
    kind: 'PROMQL',
    query: 'sum(increase(consumer_rebalances_total[5s]))',
    freshness: 'consumer_rebalances_total',
    control: 'count(consumer_rebalances_total)',
  },
  tolerance: { atMost: 0, unit: 'rebalances' },
  when: 'THROUGHOUT',
};

let system: SystemUnderTest;
beforeAll(() => {
  system = new SystemUnderTest();
});
afterAll(() => system.close());

it.each([
  ['cassandra-disk-full.json', 'orders-[0-9]+', [NO_REBALANCE]],
  ['kafka-disk-full.json', `orders-(${Object.keys(ORDERS_RING.datacenters).join('|')}).*`, []],
])(
  'a full disk of one engine starves no client of the other: %s',
  async (name, others, more) => {
    const file = exampleCopy(name, 'beside', ({ hypothesis }) => {
      hypothesis.checks.push(...unaffected(others), ...more);
    });
    await expectEnd(system, HOSTS, pathToFileURL(file).href, { outcome: 'CONFIRMED', losesNothing: true });
  },
  PATIENCE_MS,
);
