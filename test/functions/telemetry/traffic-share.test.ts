import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTrafficShare } from '../../../functions/telemetry/traffic-share.ts';
import { redisCluster } from '../domain/configuration-fixtures.ts';
import { cluster } from '../guard/fixtures.ts';

/** A Prometheus that has series of these shards only. */
function sharesOf(shares: Record<string, number>) {
  const asked: string[] = [];
  const instant = async (query: string) => {
    asked.push(query);
    const share = Object.entries(shares).find(([shard]) => query.includes(`"${shard}"`))?.[1];
    if (share === undefined) throw new Error('the query gives no series');
    return share;
  };
  return { asked, instant };
}

const shards = (...names: string[]) => ({ shards: names, nodes: ['a-node'] });

describe('the share of traffic', () => {
  it('is asked for shard by shard, and is their sum', async () => {
    const prometheus = sharesOf({ 'shard-1': 0.003, 'a.b': 0.2 });
    expect(await readTrafficShare(prometheus, cluster, shards('shard-1', 'a.b'))).toBeCloseTo(0.203);
    expect(prometheus.asked).toEqual([
      'sum(rate(http_requests_total{shard="shard-1"}[60s])) / sum(rate(http_requests_total[60s]))',
      'sum(rate(http_requests_total{shard="a.b"}[60s])) / sum(rate(http_requests_total[60s]))',
    ]);
  });

  it('is never counted without a shard that has no series', async () => {
    const prometheus = sharesOf({ 'shard-1': 0.003 });
    await expect(readTrafficShare(prometheus, cluster, shards('shard-1', 'shard-2'))).rejects.toThrow(
      'share of traffic of shard-2: the query gives no series',
    );
  });

  it('is unknown when any share is none, and the whole at most', async () => {
    for (const share of [-0.1, 1.1, Number.NaN]) {
      const prometheus = sharesOf({ a: 0.1, b: share });
      await expect(readTrafficShare(prometheus, cluster, shards('a', 'b'))).rejects.toThrow(/share of traffic of b/);
    }
    expect(await readTrafficShare(sharesOf({ a: 0.5, b: 0.5001 }), cluster, shards('a', 'b'))).toBe(1);
  });

  it('is never less than that of any of its shards, nor more than the whole', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }), async (shares) => {
        const named = Object.fromEntries(shares.map((share, index) => [`s${index}`, share]));
        const share = await readTrafficShare(sharesOf(named), cluster, shards(...Object.keys(named)));
        expect(share).toBeGreaterThanOrEqual(Math.max(...shares));
        expect(share).toBeLessThanOrEqual(1);
      }),
    ));

  it('takes a query of its own, and no name that would mean something in it', async () => {
    const telemetry = { prometheusUrl: 'http://prometheus.example', trafficShareQuery: 'share{s="{{shard}}"}' };
    const prometheus = sharesOf({ one: 0.25 });
    expect(await readTrafficShare(prometheus, redisCluster({ telemetry }), shards('one'))).toBe(0.25);
    expect(prometheus.asked).toEqual(['share{s="one"}']);
    await expect(readTrafficShare(prometheus, cluster, shards('x"} or vector(0'))).rejects.toThrow(/letters, digits/);
  });

  it('is asked for node by node where the query is about nodes, and no shard is asked for then', async () => {
    const telemetry = { prometheusUrl: 'http://prometheus.example', trafficShareQuery: 'share{broker="{{node}}"}' };
    const prometheus = sharesOf({ 'node-1': 0.25, 'node-2:6380': 0.5 });
    const hit = { shards: ['a-shard'], nodes: ['node-1', 'node-2:6380'] };
    expect(await readTrafficShare(prometheus, redisCluster({ telemetry }), hit)).toBe(0.75);
    expect(prometheus.asked).toEqual(['share{broker="node-1"}', 'share{broker="node-2:6380"}']);
  });
});
