import { policies, types } from 'cassandra-driver';
import { describe, expect, it } from 'vitest';
import type { ProbeChoices } from '../../../../functions/domain/experiment.ts';
import type { FailoverNews } from '../../../../functions/domain/recovery-phases.ts';
import type { TargetNode } from '../../../../functions/domain/targets.ts';
import { cassandraProbe } from '../../../../functions/engines/cassandra/probe.ts';
import { probeClients } from '../../../../functions/engines/cassandra/probe-clients.ts';
import { GossipWatch } from '../../../../functions/engines/cassandra/probe-gossip.ts';
import { SimulatedClock } from '../../domain/simulated-clock.ts';
import { targetNode } from '../../domain/target-fixtures.ts';
import { FakeRing } from './fake-ring.ts';
import { cassandraCluster } from './fixtures.ts';

const { quorum, eachQuorum, localOne } = types.consistencies;
const address = (number: number) => `10.77.0.5${number}`;
const node = (number: number): TargetNode => ({
  ...targetNode(number),
  ...{ name: `cassandra-node-${number}`, addresses: [address(number)], port: 9042 },
});
const MEMBERS = [1, 2, 3].map(node);
const DOWN = 1;

/** No two moments of it are the same. */
class FineClock extends SimulatedClock {
  override monotonicMs(): number {
    this.advance(0.001);
    return super.monotonicMs();
  }
}

function opened({ choices = {}, impacted = [DOWN] }: { choices?: ProbeChoices; impacted?: number[] } = {}) {
  const clock = new FineClock();
  const ring = new FakeRing(
    MEMBERS.map(({ addresses }) => addresses[0] ?? ''),
    clock,
  );
  const probe = cassandraProbe(
    {
      ...{ shard: 'holdfast_probe-dc1', members: MEMBERS, impacted: impacted.map(node), choices },
      ...{ cluster: cassandraCluster(), access: { credentials: { username: 'u', password: 'p' }, certificates: {} } },
    },
    { open: (options) => ring.open(options), clock },
  );
  return { clock, ring, probe };
}

/** Connected for so long, with its contests; writes a key each second besides. */
async function accountAfter(seconds: number, given: ReturnType<typeof opened>) {
  const { clock, probe } = given;
  await probe.connect();
  for (let second = 0; second < seconds; second += 1) {
    const key = `k${second}`;
    if (await probe.write(key, `v${second}`)) await probe.read(key);
    await clock.sleep(1000);
  }
  const account = await probe.account();
  probe.close();
  return account;
}

describe('the probe of a ring', () => {
  it('finds every acknowledged write of an honest store, and none that gave way to an earlier one', async () => {
    const account = await accountAfter(10, opened());
    expect(account).toMatchObject({ lost: 0, overwritten: 0, resurrected: 0, stale: 0, staleReads: 0 });
    // Its own, and two of each contest.
    expect(account.acknowledged).toBeGreaterThan(10 + 2 * 30);
  });

  it('says of a write through a node with the right time that an earlier one through a fast node won, with both timestamps', async () => {
    const given = opened();
    given.ring.aheadMs.set(address(DOWN), 100);
    const account = await accountAfter(10, given);
    // Where Alice asks the fast node; where Bob does, his write wins as it should.
    expect(account.overwritten).toBeGreaterThan(15);
    expect(account.lost).toBe(account.overwritten);
    const [first] = account.examples.overwritten;
    expect(first).toMatchObject({
      through: 'cassandra-node-2',
      instead: { value: 'alice', through: 'cassandra-node-1' },
    });
    const apartMs = ((first?.instead?.timestampUs ?? 0) - (first?.timestampUs ?? 0)) / 1000;
    expect(apartMs).toBeGreaterThan(90);
    expect(apartMs).toBeLessThan(100);
    expect(account.examples.overwritten.some(({ value }) => value === undefined)).toBe(true);
  });

  it('finds out a clock that is behind too', async () => {
    const given = opened();
    given.ring.aheadMs.set(address(DOWN), -100);
    const account = await accountAfter(10, given);
    expect(account.overwritten).toBeGreaterThan(15);
    expect(account.examples.overwritten[0]).toMatchObject({ through: 'cassandra-node-1' });
  });

  it('loses nothing to a fast node when the client says what is later', async () => {
    const given = opened({ choices: { timestamps: 'client' } });
    given.ring.aheadMs.set(address(DOWN), 100);
    expect(await accountAfter(10, given)).toMatchObject({ lost: 0, overwritten: 0 });
  });

  it('finds out a store that forgets what it acknowledged, one that hides it, and one that brings back what was replaced', async () => {
    const forgetful = opened();
    forgetful.ring.forgets = (value) => value === 'v3';
    const lost = await accountAfter(6, forgetful);
    expect(lost).toMatchObject({ lost: 1, overwritten: 0 });
    expect(lost.examples.lost[0]).toMatchObject({ key: 'k3', value: 'v3' });

    const late = opened();
    let hidden = 0;
    late.ring.shows = (key, cell) => (key === 'k2' && hidden++ === 0 ? undefined : cell);
    expect(await accountAfter(6, late)).toMatchObject({ lost: 0, stale: 1, staleReads: 1 });

    const necromancer = opened();
    await necromancer.probe.connect();
    await necromancer.clock.sleep(3000);
    for (const [key, cell] of necromancer.ring.cells)
      if (key.includes('contest:0') && !key.includes('witness')) {
        expect(cell.value).toBe('bob');
        necromancer.ring.cells.set(key, { value: 'alice', timestampUs: 1 });
      }
    expect(await necromancer.probe.account()).toMatchObject({ lost: 1, resurrected: 1, overwritten: 0 });
    necromancer.probe.close();
  });

  it('says that a write failed that nobody acknowledged, that a read without an answer is none, and never rejects', async () => {
    const { ring, probe } = opened();
    await probe.connect();
    for (const each of MEMBERS) ring.silent.add(each.addresses[0] ?? '');
    expect(await probe.write('k', 'v')).toBe(false);
    expect(await probe.read('k')).toBeUndefined();
    await expect(probe.account()).rejects.toThrow('no host answers');
    probe.close();
  });

  it('measures what clients of a datacenter see although one of its nodes does not answer', async () => {
    const given = opened();
    given.ring.silent.add(address(DOWN));
    expect(await accountAfter(3, given)).toMatchObject({ lost: 0 });
    expect(await given.probe.write('k', 'v')).toBe(true);
  });

  it('asks for the acknowledgements that the experiment says', async () => {
    for (const [choices, level] of [
      [{}, quorum],
      [{ consistency: 'EACH_QUORUM' }, eachQuorum],
    ] as const) {
      const { ring, probe } = opened({ choices });
      await probe.connect();
      await probe.write('k', 'v');
      await probe.read('k');
      const asked = ring.requests.filter(({ query }) => query.includes('holdfast_probe.probe') || query === 'BATCH');
      expect(new Set(asked.map(({ consistency }) => consistency))).toEqual(new Set([level]));
      probe.close();
    }
  });

  it('lives with a dead node by the settings that are recommended, and comes as the driver does where it is asked to', () => {
    const of = (choices: ProbeChoices) => opened({ choices }).ring.opened[0];
    const tuned = of({});
    expect(tuned).toMatchObject({ queryOptions: { isIdempotent: true }, socketOptions: { readTimeout: 1000 } });
    const { speculativeExecution } = policies;
    expect(tuned?.policies?.speculativeExecution).toBeInstanceOf(
      speculativeExecution.ConstantSpeculativeExecutionPolicy,
    );
    const plain = of({ client: 'default' });
    for (const set of ['queryOptions', 'socketOptions', 'pooling']) expect(plain).not.toHaveProperty(set);
    expect(Object.keys(plain?.policies ?? {})).toEqual(['timestampGeneration']);
    // Undefined would be the driver's own: client timestamps.
    expect([tuned, plain].map((options) => options?.policies?.timestampGeneration)).toEqual([null, null]);
  });

  it('asks one node alone where it asks one, and sends it nothing twice', () => {
    const lone = opened().ring.opened.slice(2);
    expect(lone.map(({ contactPoints }) => contactPoints)).toEqual(
      MEMBERS.map(({ addresses }) => [`${addresses}:9042`]),
    );
    for (const { policies: set, queryOptions } of lone) {
      expect(set?.loadBalancing).toBeInstanceOf(policies.loadBalancing.AllowListPolicy);
      expect(set?.retry).toBeInstanceOf(policies.retry.FallthroughRetryPolicy);
      expect([set?.speculativeExecution, queryOptions]).toEqual([undefined, undefined]);
    }
  });

  it('believes no certificate but that of the node that it means, whichever client asks', () => {
    const cluster = { ...cassandraCluster(), tls: { serverName: '{node}.example' } };
    const access = { credentials: {}, certificates: { ca: 'the authority' } };
    const datacenter = 'dc1';
    const { ofDatacenter, ofNode } = probeClients(cluster, access, { datacenter, choices: {} });
    for (const { sslOptions } of [ofDatacenter(MEMBERS), ...MEMBERS.map(ofNode)]) {
      expect(sslOptions).toMatchObject({ rejectUnauthorized: true, ca: 'the authority' });
      const check = (name: string) =>
        sslOptions?.checkServerIdentity?.(address(1), { subject: {}, subjectaltname: `DNS:${name}` } as never);
      expect(check('cassandra-node-2.example')).toBeInstanceOf(Error);
    }
    const own = ofDatacenter(MEMBERS).sslOptions?.checkServerIdentity;
    const certificate = { subject: {}, subjectaltname: 'DNS:cassandra-node-1.example' } as never;
    expect(own?.(address(1), certificate)).toBeUndefined();
    expect(own?.('10.0.0.1', certificate)).toBeInstanceOf(Error);
  });

  it('writes keys that live on the impacted node, and proves it by the ring and by that node’s own answer', async () => {
    const { ring, probe } = opened();
    // A third of all keys.
    ring.owners = (key) => [address([...key].reduce((sum, each) => sum + each.charCodeAt(0), 0) % 3 === 0 ? DOWN : 2)];
    await probe.connect();
    for (const key of ['a', 'b', 'c', 'd']) expect(await probe.write(key, `value of ${key}`)).toBe(true);
    const own = [...ring.cells.keys()].filter((key) => !key.includes('contest'));
    expect(own).toHaveLength(4);
    for (const key of own) expect(ring.owners(key)).toEqual([address(DOWN)]);
    expect(await probe.isOnImpacted('a', 'value of a')).toBe(true);
    expect(ring.requests.at(-1)).toMatchObject({ by: [address(DOWN)], consistency: localOne });
    expect(await probe.isOnImpacted('a', 'another')).toBe(false);
    probe.close();
  });

  it('proves nothing where the impacted node has no key at all', async () => {
    const { ring, probe } = opened();
    ring.owners = () => [address(2)];
    await probe.connect();
    await probe.write('a', 'v');
    expect(await probe.isOnImpacted('a', 'v')).toBe(false);
    probe.close();
  });

  it('counts who lives by heartbeats that move, and names who is owed writes and who was given up', async () => {
    const { clock, ring, probe } = opened();
    const news: FailoverNews[] = [];
    probe.listen(
      (each) => news.push(each),
      () => {},
    );
    expect(await probe.health()).toEqual({ convictions: 0 });
    await probe.connect();
    await clock.sleep(5000);
    expect(await probe.health()).toEqual({ liveReplicas: 3, pendingHints: 0, convictions: 0 });
    ring.silent.add(address(DOWN));
    ring.hints = [address(DOWN)];
    await clock.sleep(6000);
    for (const by of [2, 3]) ring.push(address(by), 'hostDown', address(DOWN));
    expect(await probe.health()).toEqual({ liveReplicas: 2, pendingHints: 1, convictions: 1 });
    expect(news).toEqual([
      { what: 'DETECTED', text: 'cassandra-node-2 calls cassandra-node-1 DOWN', uncertaintyMs: 100 },
    ]);
    for (const by of [2, 3]) ring.push(address(by), 'hostUp', address(DOWN));
    ring.push(address(3), 'hostDown', address(DOWN));
    expect((await probe.health()).convictions).toBe(2);
    probe.close();
  });

  it('takes nobody’s word for itself: a node that only hears itself does not live', () => {
    const gossip = new GossipWatch(MEMBERS, 'dc1');
    for (const second of [0, 1, 2, 3, 4, 5]) {
      const of = (number: number, heartbeat: number) => ({
        ...{ address: address(number), datacenter: 'dc1', isNormal: true, generation: 1, heartbeat },
      });
      const own = { heartbeats: [of(1, second), of(2, 7), of(3, 7)], hintsFor: [] };
      const others = { heartbeats: [of(1, 7), of(2, second), of(3, second)], hintsFor: [] };
      gossip.heard('cassandra-node-1', own, second * 1000);
      for (const name of ['cassandra-node-2', 'cassandra-node-3']) gossip.heard(name, others, second * 1000);
    }
    expect(gossip.liveMembers(5000)).toBe(2);
  });

  it('counts a node that joins its datacenter once it has its place in the ring, and none of another datacenter or that was there before', () => {
    const gossip = new GossipWatch(MEMBERS, 'dc1');
    const liveWith = (
      number: number,
      joined: { datacenter: string; isNormal: boolean },
      fromSecond: number,
      watch = gossip,
    ) => {
      for (let second = fromSecond; second <= fromSecond + 5; second += 1) {
        const own = [1, 2].map((member) => ({ address: address(member), datacenter: 'dc1', isNormal: true }));
        const heartbeats = [...own, { address: address(number), ...joined }].map((row) => ({
          ...{ ...row, generation: 1, heartbeat: second },
        }));
        for (const observer of ['cassandra-node-1', 'cassandra-node-2'])
          watch.heard(observer, { heartbeats, hintsFor: [] }, second * 1000);
      }
      return watch.liveMembers((fromSecond + 5) * 1000);
    };
    const stranger = new GossipWatch(MEMBERS, 'dc1');
    expect(liveWith(9, { datacenter: 'dc1', isNormal: true }, 0, stranger)).toBe(2);
    expect(liveWith(7, { datacenter: 'dc2', isNormal: true }, 0)).toBe(2);
    expect(liveWith(8, { datacenter: 'dc1', isNormal: false }, 10)).toBe(2);
    expect(liveWith(8, { datacenter: 'dc1', isNormal: true }, 20)).toBe(3);
  });

  it('knows nobody’s health when no node answers, and says once which right is missing', async () => {
    const { clock, ring, probe } = opened();
    const complaints: string[] = [];
    probe.listen(
      () => {},
      (problem) => complaints.push(problem),
    );
    ring.refuses = 'User u has no SELECT permission on <table system_views.gossip_info>';
    await probe.connect();
    await clock.sleep(5000);
    expect(await probe.health()).toEqual({ convictions: 0 });
    expect(complaints.sort()).toEqual(MEMBERS.map(({ name }) => `${name}: ${ring.refuses}`));
    probe.close();
  });

  it('has no leader, and hangs up everywhere', async () => {
    const { ring, probe } = opened();
    await probe.connect();
    expect(await probe.leader()).toBeUndefined();
    probe.close();
    expect(ring.closed).toBe(ring.opened.length);
  });
});
