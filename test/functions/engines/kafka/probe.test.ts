import { afterAll, describe, expect, it } from 'vitest';
import { kafkaClusterSchema } from '../../../../functions/engines/kafka/configuration.ts';
import { kafkaProbe } from '../../../../functions/engines/kafka/probe.ts';
import { targetNode } from '../../domain/target-fixtures.ts';
import { type Lies, type StoredRecord, scriptedBroker, TOPIC } from './scripted-broker.ts';

const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.splice(0)) await close();
});

async function world(lies: Lies = {}) {
  const broker = await scriptedBroker(lies);
  const node = targetNode(1, { addresses: ['127.0.0.1'], port: broker.port, roles: [] });
  const cluster = kafkaClusterSchema.parse({
    ...{ engine: 'kafka', tier: 'staging', selectTags: { cluster: 'k' }, unit: 'kafka', port: broker.port },
    ...{
      dataDirectory: '/var/lib/kafka',
      telemetry: { prometheusUrl: 'http://prometheus.example', trafficShareQuery: 'share{n="{{node}}"}' },
    },
  });
  const access = { credentials: {}, certificates: {} };
  const shard = { shard: `${TOPIC}-0`, members: [node], impacted: [node] };
  const probe = kafkaProbe({ ...shard, cluster, access, choices: {} });
  closing.push(broker.close, probe.close);
  return { broker, probe };
}

/** Ten records, each sent when the one before was answered; what an application would not notice. */
async function accountAfterTen(append: NonNullable<Lies['append']>) {
  const { probe } = await world({ append });
  await probe.connect();
  for (let n = 0; n < 10; n++) expect(await probe.write(`k${n}`, `v${n}`)).toBe(true);
  return probe.account();
}
/** Honest but for that record. */
const but =
  (key: string, lie: (log: StoredRecord[], record: StoredRecord) => number): NonNullable<Lies['append']> =>
  (log, record) =>
    record.key === key ? lie(log, record) : log.push(record) - 1;
const FILLER = { key: 'of somebody else', value: '' };
const at = (key: string, offset: number) => ({ key, offset, acknowledgedAt: expect.stringMatching(/Z$/) });

/** Most of the time is spent waiting for deadlines. */
describe.concurrent('the probe of Kafka', () => {
  it('finds nothing wrong with an honest broker, proves where its record is, and reads what it wrote', async ({
    expect,
  }) => {
    const { probe } = await world();
    const consumed: string[] = [];
    probe.follow((key) => consumed.push(key));
    await probe.connect();
    expect(await probe.write('k0', 'v0')).toBe(true);
    expect(await probe.read('k0')).toBe('v0');
    expect(await probe.read('k1')).toBeUndefined();
    expect(consumed).toEqual(['k0']);
    expect(await probe.isOnImpacted('k0', 'v0')).toBe(true);
    expect(await probe.isOnImpacted('k0', 'another')).toBe(false);
    expect(await probe.isOnImpacted('k1', 'v1')).toBe(false);
    expect(await probe.leader()).toBe('redis-node-1');
    const health = { inSyncFollowers: 0, leaderChanges: 0, fencedBrokers: 0, activeControllers: 1 };
    await expect.poll(() => probe.health()).toEqual(health);
    expect(await probe.account()).toMatchObject({ acknowledged: 1, lost: 0, duplicated: 0, reordered: 0 });
  });

  it('says that no controller leads when none was heard of for 3 s, and that one does when it is back', async ({
    expect,
  }) => {
    const { broker, probe } = await world();
    await probe.connect();
    await expect.poll(() => probe.health()).toMatchObject({ activeControllers: 1 });
    for (const lost of [{ controller: -1 }, { share: (api: string) => (api === 'describeQuorum' ? 0 : 1) }]) {
      const sinceMs = performance.now();
      Object.assign(broker.lies, lost);
      await expect.poll(() => probe.health(), { timeout: 9000 }).toMatchObject({ activeControllers: 0 });
      expect(performance.now() - sinceMs).toBeGreaterThan(1900);
      Object.assign(broker.lies, { controller: 1, share: undefined });
      await expect.poll(() => probe.health(), { timeout: 5000 }).toMatchObject({ activeControllers: 1 });
    }
  });

  it('says nothing of controllers any more once it may not ask', async ({ expect }) => {
    const { broker, probe } = await world();
    await probe.connect();
    await expect.poll(() => probe.health()).toMatchObject({ activeControllers: 1 });
    broker.lies.controller = 'forbidden';
    await expect.poll(() => probe.health(), { timeout: 5000 }).not.toHaveProperty('activeControllers');
    const untilMs = performance.now() + 3500;
    while (performance.now() < untilMs) {
      expect(await probe.health()).toMatchObject({ leaderChanges: 0 });
      expect((await probe.health()).activeControllers).toBeUndefined();
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  });

  it('says nothing of controllers while nobody ever heard of one, and complains once where it may not ask', async ({
    expect,
  }) => {
    for (const controller of [-1, 'forbidden'] as const) {
      const complaints: string[] = [];
      const { probe } = await world({ controller });
      probe.listen(
        () => {},
        (problem) => complaints.push(problem),
      );
      await probe.connect();
      await new Promise((resolve) => setTimeout(resolve, 1500));
      expect(await probe.health()).toMatchObject({ leaderChanges: 0 });
      expect(await probe.health()).not.toHaveProperty('activeControllers');
      const told = ['metadata quorum: CLUSTER_AUTHORIZATION_FAILED'];
      expect(complaints).toEqual(controller === 'forbidden' ? told : []);
    }
  });

  it('finds a record that was acknowledged and is not there', async () => {
    const account = await accountAfterTen(but('k7', (log) => log.push(FILLER) - 1));
    expect(account).toMatchObject({ acknowledged: 10, lost: 1, duplicated: 0, reordered: 0, repeatedOffsets: 0 });
    expect(account.examples.lost).toEqual([at('k7', 7)]);
  });

  it('takes another value under its key for a loss', async () => {
    const account = await accountAfterTen(but('k7', (log, { key }) => log.push({ key, value: 'another' }) - 1));
    expect(account).toMatchObject({ lost: 1, duplicated: 0 });
  });

  it('finds a record that is there twice', async () => {
    const account = await accountAfterTen(but('k7', (log, record) => log.push(record, record) - 2));
    expect(account).toMatchObject({ lost: 0, duplicated: 1, reordered: 0, repeatedOffsets: 0 });
    expect(account.examples.duplicated).toEqual([at('k7', 7)]);
  });

  it('finds a record that was put before one that had been acknowledged', async () => {
    const swap = but('k7', (log, record) => {
      log.splice(6, 0, record);
      return 7;
    });
    const account = await accountAfterTen(swap);
    expect(account).toMatchObject({ lost: 0, duplicated: 0, reordered: 1, repeatedOffsets: 0 });
    expect(account.examples.reordered).toEqual([at('k7', 7)]);
  });

  it('blames the client for an offset that was acknowledged twice, and claims not that nothing was lost', async () => {
    const account = await accountAfterTen(but('k7', () => 6));
    expect(account).toMatchObject({ acknowledged: 10, duplicated: 0, reordered: 0, repeatedOffsets: 1 });
    expect(account).not.toHaveProperty('lost');
    expect(account.examples.repeatedOffsets).toEqual([at('k7', 6)]);
  });

  it('counts an acknowledgement that came after the write had failed', async ({ expect }) => {
    const { broker, probe } = await world({ acknowledgeAfterMs: 1300 });
    await probe.connect();
    expect(await probe.write('k0', 'v0')).toBe(false);
    broker.lies.acknowledgeAfterMs = 0;
    await expect.poll(() => probe.account(), { timeout: 5000 }).toMatchObject({ acknowledged: 1, lost: 0 });
  });

  it('sends nothing more to a broker that accepts connections and does not answer, as one that is paused', async () => {
    const arrived: string[] = [];
    const { broker, probe } = await world({ append: (_log, { key }) => arrived.push(key) - 1 });
    await probe.connect();
    const known = broker.connections();
    // What it says of the partition comes from another broker, in a cluster.
    broker.lies.share = (api, connection) => (api === 'metadata' && connection <= known ? 1 : 0);
    expect(await probe.write('k0', 'v')).toBe(false);
    for (let n = 1; n < 30; n++) {
      expect(await probe.write(`k${n}`, 'v')).toBe(false);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(arrived).toEqual(['k0']);
  });

  it('fails each write of a broker that acknowledges nothing, sends nothing twice nor what its client gave up, and accounts for nothing', async () => {
    const arrived: string[] = [];
    const append = (_log: StoredRecord[], { key }: StoredRecord) => {
      arrived.push(key);
      return undefined;
    };
    const { probe } = await world({ append });
    await probe.connect();
    expect(await Promise.all(['k0', 'k1', 'k2'].map((key) => probe.write(key, 'v')))).toEqual([false, false, false]);
    expect(arrived).toEqual(['k0']);
    await expect(probe.account()).rejects.toThrow(/timed out/i);
  });

  it('knows where each record is of those that went together while another was under way', async () => {
    const { probe } = await world();
    await probe.connect();
    const keys = ['k0', 'k1', 'k2', 'k3'];
    expect(await Promise.all(keys.map((key) => probe.write(key, `of ${key}`)))).toEqual([true, true, true, true]);
    for (const key of keys) {
      expect(await probe.isOnImpacted(key, `of ${key}`), key).toBe(true);
      expect(await probe.isOnImpacted(key, 'of another')).toBe(false);
    }
  });

  it('has one request under way, and stays with a broker that is slow but answers in time', async ({ expect }) => {
    const arrivedMs = new Map<string, number>();
    const append = (log: StoredRecord[], record: StoredRecord) => {
      arrivedMs.set(record.key, performance.now());
      return log.push(record) - 1;
    };
    const { broker, probe } = await world({ append, acknowledgeAfterMs: 600 });
    await probe.connect();
    await expect.poll(() => probe.health()).toMatchObject({ activeControllers: 1 });
    const known = broker.connections();
    const results: Promise<boolean>[] = [];
    for (let n = 0; n < 20; n++) {
      results.push(probe.write(`k${n}`, 'v'));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const inTime = await Promise.all(results);
    // What came first in a request had waited for the one before, and was late; what came last was not.
    expect([inTime[0], inTime.includes(false)]).toEqual([true, true]);
    expect(broker.connections()).toBe(known);
    const times = [...new Set([...arrivedMs.values()].map((atMs) => Math.round(atMs / 100)))];
    expect(times.length).toBeLessThanOrEqual(4);
    await expect
      .poll(() => probe.account(), { timeout: 5000 })
      .toMatchObject({ acknowledged: 20, lost: 0, reordered: 0 });
  });

  it('cannot begin with a broker that hangs, or that answers half', async () => {
    for (const share of [0, 0.5]) {
      const { probe } = await world({ share: () => share });
      await expect(probe.connect()).rejects.toThrow(/no answer within/);
    }
  });

  it('accounts for nothing when the log is read half, or when records of the run were removed', async () => {
    const { broker, probe } = await world();
    await probe.connect();
    expect(await probe.write('k0', 'v0')).toBe(true);
    broker.lies.share = (api) => (api === 'fetch' ? 0.5 : 1);
    await expect(probe.account()).rejects.toThrow(/timed out/i);
    broker.lies.share = () => 1;
    broker.lies.logStartOffset = 1;
    await expect(probe.account()).rejects.toThrow(/its retention has removed records of this run/);
  });
});
