import { describe, expect, it } from 'vitest';
import type { LiveNode } from '../../../functions/domain/targets.ts';
import { membersOf, type StoreTopology } from '../../../functions/domain/topology.ts';
import type { RollbackResult } from '../../../functions/domain/workflow.ts';
import { type NodesBefore, nodesBefore } from '../../../functions/rollback/replacement.ts';
import { type RecoveringCluster, verifyRecovery } from '../../../functions/rollback/verify-recovery.ts';
import { resolvedTargetsOf } from '../domain/admitted-fixtures.ts';
import { experimentOf, faultWith, fisFault, hostFault } from '../domain/experiment-fixtures.ts';
import { iso } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { liveNode, shardOf, topologyOf } from '../domain/target-fixtures.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

const topology = (change: Partial<StoreTopology> = {}) =>
  topologyOf([shardOf('s', 'node-1', 'node-2', 'node-3')], change);
const without = (lost: string) =>
  topologyOf([shardOf('s', ...['node-1', 'node-2', 'node-3'].filter((node) => node !== lost))]);
const healthy = topology();
const nodes = [1, 2, 3].map((number) => liveNode(number, { name: `node-${number}` }));
const rollback: RollbackResult = {
  outcome: 'ROLLED_BACK',
  nodes: [{ node: 'node-3', instanceId: 'i-3', faultId: 'exp.3', outcome: 'REVERTED', leftovers: [] }],
};

/** Each look sees the next topology; the last one stays. */
function cluster(
  clock: SimulatedClock,
  topologies: (StoreTopology | Error)[],
  change: Partial<RecoveringCluster> = {},
) {
  const repaired: { atMs: number; nodes: string[] }[] = [];
  const recovering: RecoveringCluster = {
    name: 'redis-master',
    recoverySeconds: 20,
    observe: async () => {
      const next = topologies.length > 1 ? topologies.shift() : topologies[0];
      if (next === undefined || next instanceof Error) throw next;
      return { nodes, topology: next };
    },
    repair: async (ill) => {
      repaired.push({ atMs: clock.monotonicMs(), nodes: ill.map(({ name }) => name) });
      return [];
    },
    start: async () => ({}),
    ...change,
  };
  return { recovering, repaired };
}

async function verify(given: RollbackResult | undefined, ...topologies: (StoreTopology | Error)[]) {
  const clock = new SimulatedClock();
  const { recovering, repaired } = cluster(clock, topologies);
  const { result, written } = await verifyAll(given, clock, [recovering]);
  return { result, written, repaired, elapsedMs: clock.monotonicMs() };
}

async function verifyAll(given: RollbackResult | undefined, clock: SimulatedClock, clusters: RecoveringCluster[]) {
  const audit = memoryAuditLog({ clock });
  const experiment = experimentOf([hostFault(3, 0), fisFault(2, 0), hostFault(1, 0, 'redis-other')]);
  const result = await verifyRecovery(experiment, given, clusters, { audit, clock });
  return { result, written: audit.entries.map(({ type, details }) => [type, details] as const) };
}

describe('verify recovery', () => {
  it('waits until the shard is healthy and the impacted node is back in it', async () => {
    const { result, written, elapsedMs } = await verify(rollback, new Error('timeout'), without('node-3'), healthy);
    expect(result).toMatchObject({ outcome: 'RECOVERED', problems: [] });
    expect(result).not.toHaveProperty('repairs');
    expect(written).toMatchObject([['RECOVERY_VERIFIED', { impacted: ['node-3'] }]]);
    expect(elapsedMs).toBe(2000);
  });

  it('repairs every node of a host whose fault hit it as a whole, and waits for each', async () => {
    const clock = new SimulatedClock();
    const beside = liveNode(3, { name: 'node-3:6380', port: 6380 });
    const { recovering, repaired } = cluster(clock, [topology({ problems: ['MISCONF'] }), healthy], {
      observe: async () => ({ nodes: [...nodes, beside], topology: healthy }),
      recoverySeconds: 2,
    });
    const { result } = await verifyAll(rollback, clock, [recovering]);
    expect(result).toMatchObject({ outcome: 'NOT_RECOVERED', problems: ['node-3:6380: is in no shard'] });
    expect(repaired.map((each) => each.nodes)).toEqual([['node-3', 'node-3:6380']]);
  });

  it('waits for what the store goes on with after the rollback, however healthy it is, and says so', async () => {
    const clock = new SimulatedClock();
    const asked: string[][] = [];
    const { recovering } = cluster(clock, [healthy], {
      recoverySeconds: 5,
      settlesAfter: (faults) => {
        asked.push(faults.map(({ faultId }) => faultId));
        return [{ faultId: 'exp.3', nodes: ['node-3'], seconds: 30, why: 'its clock was ahead' }];
      },
    });
    const { result } = await verifyAll(rollback, clock, [recovering]);
    expect(result).toMatchObject({ outcome: 'RECOVERED', repairs: ['node-3: waited 30 s: its clock was ahead'] });
    expect(clock.monotonicMs()).toBe(30_000);
    // Only of what was rolled back.
    expect(asked).toEqual([['exp.3']]);
  });

  it('ends as NOT_RECOVERED at its deadline with what is still wrong', async () => {
    const { result, written, elapsedMs } = await verify(rollback, topology({ problems: ['node-3 is lonely'] }));
    expect(result).toMatchObject({ outcome: 'NOT_RECOVERED', problems: ['store: node-3 is lonely'] });
    expect(written.map(([type]) => type)).toEqual(['RECOVERY_FAILED']);
    expect(elapsedMs).toBe(20_000);
  });

  it('looks once, and repairs nothing, when nothing was injected', async () => {
    const { elapsedMs, repaired } = await verify(undefined, new Error('timeout'));
    expect(elapsedMs).toBe(0);
    expect(repaired).toEqual([]);
  });

  it('waits also for the nodes of a fault that ran in the service', async () => {
    const services = [{ faultId: 'exp.2', fisExperimentId: 'EXP1', state: 'stopped', outcome: 'REVERTED' as const }];
    const given: RollbackResult = { outcome: 'ROLLED_BACK', nodes: [], services };
    const { result, elapsedMs } = await verify(given, without('node-2'), without('node-2'), healthy);
    expect(result.outcome).toBe('RECOVERED');
    expect(elapsedMs).toBe(2000);
  });

  it('repairs the impacted nodes, and only those, every few seconds until the store is well, and tells what it did', async () => {
    const clock = new SimulatedClock();
    const ill = topology({ problems: ['node-3 could not save: MISCONF'] });
    const { recovering, repaired } = cluster(clock, [...Array<StoreTopology>(8).fill(ill), healthy]);
    const { repair } = recovering;
    recovering.repair = async (asked) => {
      await repair(asked);
      return ['node-3: BGSAVE begun'];
    };
    const { result, written } = await verifyAll(rollback, clock, [recovering]);
    expect(result).toMatchObject({ outcome: 'RECOVERED', repairs: ['node-3: BGSAVE begun'] });
    expect(written).toMatchObject([['RECOVERY_VERIFIED', { repairs: ['node-3: BGSAVE begun'] }]]);
    expect(repaired).toEqual([
      { atMs: 0, nodes: ['node-3'] },
      { atMs: 5000, nodes: ['node-3'] },
    ]);
  });

  describe('where stores have ended by themselves', () => {
    const ended: RollbackResult = {
      outcome: 'ROLLED_BACK',
      nodes: [
        { node: 'node-3', instanceId: 'i-3', faultId: 'exp.3', outcome: 'REVERTED', leftovers: [] },
        { node: 'node-1', instanceId: 'i-1', faultId: 'exp.3', outcome: 'REVERTED', leftovers: [] },
      ],
    };

    /** The engine names those that are away, in this order; a store that was started is back after 12 s. */
    async function restarting(change: Partial<RecoveringCluster> = {}) {
      const clock = new SimulatedClock();
      const startedAt = new Map<string, number>();
      const isBack = (node: string) => clock.monotonicMs() - (startedAt.get(node) ?? Number.POSITIVE_INFINITY) > 12_000;
      const asked: string[] = [];
      let starting = 0;
      const { recovering } = cluster(clock, [], {
        recoverySeconds: 60,
        observe: async () => ({
          nodes,
          topology: topologyOf([shardOf('s', 'node-2', ...['node-1', 'node-3'].filter(isBack))]),
        }),
        startsNext: (seen, impacted) => {
          const away = impacted.filter((node) => !seen.shards.flatMap(membersOf).includes(node));
          // Not while another that was started is still on its way.
          const coming = away.find((node) => startedAt.has(node));
          return coming ?? away[0];
        },
        start: async ({ node, instanceId, faultId }) => {
          expect(starting).toBe(0);
          starting += 1;
          await clock.sleep(2000);
          starting -= 1;
          asked.push(`${node} ${instanceId} ${faultId}`);
          if (startedAt.has(node)) return {};
          startedAt.set(node, clock.monotonicMs());
          return { repair: `${node}: store started, it had ended or shut itself` };
        },
        ...change,
      });
      const { result } = await verifyAll(ended, clock, [recovering]);
      return { result, asked, elapsedMs: clock.monotonicMs() };
    }

    it('starts one after the other, each when the engine names it, and tells which', async () => {
      const { result, asked } = await restarting();
      expect(result).toMatchObject({
        outcome: 'RECOVERED',
        repairs: [
          'node-3: store started, it had ended or shut itself',
          'node-1: store started, it had ended or shut itself',
        ],
      });
      expect(asked[0]).toMatch(/^node-3 \S+ exp\.3$/);
      expect(asked.lastIndexOf(asked[0] ?? '')).toBeLessThan(asked.findIndex((each) => each.startsWith('node-1')));
    });

    it('starts none while the engine names none', async () => {
      const { result, asked, elapsedMs } = await restarting({ startsNext: () => undefined });
      expect(result.outcome).toBe('NOT_RECOVERED');
      expect(asked).toEqual([]);
      expect(elapsedMs).toBe(60_000);
    });

    it('starts no node on which no fault was, whatever the engine says', async () => {
      const { asked } = await restarting({ startsNext: () => 'node-2' });
      expect(asked).toEqual([]);
    });

    it('gives up in time, with the reason, when a host does not answer', async () => {
      const { result, elapsedMs } = await restarting({
        start: async ({ node }) => ({ problem: `${node}: its store could not be started: DEADLINE` }),
      });
      expect(result.outcome).toBe('NOT_RECOVERED');
      expect(result.problems).toContain('node-3: its store could not be started: DEADLINE');
      expect(elapsedMs).toBe(60_000);
    });
  });

  it('names a store that was started and stays silent, with what a person does then', async () => {
    const clock = new SimulatedClock();
    const silent = { ...topology({ problems: ['node-3 does not answer'] }), silentNodes: ['node-3'] };
    const { recovering } = cluster(clock, [silent], {
      startsNext: () => 'node-3',
      whenNotBack: 'see the page',
      start: async ({ node }) => ({ repair: `${node}: store started, it had ended or shut itself` }),
    });
    const { result } = await verifyAll(rollback, clock, [recovering]);
    expect(result.problems).toContain('node-3: its store was started and does not answer: see the page');
    const { recovering: untouched } = cluster(clock, [silent], { whenNotBack: 'see the page' });
    const { result: other } = await verifyAll(rollback, clock, [untouched]);
    expect(other.problems.join()).not.toContain('see the page');
  });

  it('repairs nothing of a store that is well', async () => {
    expect((await verify(rollback, healthy)).repaired).toEqual([]);
  });

  it('goes on looking when a repair cannot even be asked for', async () => {
    const clock = new SimulatedClock();
    const ill = topology({ problems: ['ill'] });
    const { recovering } = cluster(clock, [ill, ill, healthy], {
      repair: () => Promise.reject(new Error('no secret')),
    });
    expect((await verifyAll(rollback, clock, [recovering])).result.outcome).toBe('RECOVERED');
  });

  it('has not recovered as long as one of several clusters has not, each with its own deadline and name', async () => {
    const clock = new SimulatedClock();
    const both: RollbackResult = {
      ...rollback,
      nodes: [
        ...rollback.nodes,
        { node: 'node-1', instanceId: 'i-1', faultId: 'exp.1', outcome: 'REVERTED', leftovers: [] },
      ],
    };
    const first = cluster(clock, [topology({ problems: ['ill'] })]);
    const other = cluster(clock, [healthy], { name: 'redis-other', recoverySeconds: 5 });
    const { result, written } = await verifyAll(both, clock, [first.recovering, other.recovering]);
    expect(result).toMatchObject({ outcome: 'NOT_RECOVERED', problems: ['redis-master: store: ill'] });
    expect(written).toMatchObject([['RECOVERY_FAILED', { impacted: ['node-3', 'node-1'] }]]);
    expect(first.repaired[0]?.nodes).toEqual(['node-3']);
    expect(other.repaired).toEqual([]);
  });

  describe('of a rebooted instance', () => {
    const reboot = faultWith({ kind: 'INSTANCE_REBOOT', targetNodes: ['node-3'] }, { number: 3 });
    const up = (seconds?: number) => topology(seconds === undefined ? {} : { uptimeSeconds: { 'node-3': seconds } });
    /** Looked at each second. */
    const running = (seconds: number) => Array.from({ length: 30 }, (_, index) => up(seconds + index));
    /** The simulated clock starts 30 s after the reboot was asked for. */
    const begunAt = iso(-30);
    async function verifyReboot(begun: string | undefined, ...topologies: StoreTopology[]) {
      const clock = new SimulatedClock();
      const { recovering } = cluster(clock, topologies);
      const services = [
        { faultId: 'exp.3', state: 'completed', outcome: 'REVERTED' as const, ...(begun ? { begunAt: begun } : {}) },
      ];
      const given = { outcome: 'ROLLED_BACK' as const, nodes: [], services };
      const audit = memoryAuditLog({ clock });
      const result = await verifyRecovery(experimentOf([reboot]), given, [recovering], { audit, clock });
      return { result, elapsedMs: clock.monotonicMs() };
    }

    it('waits until its store has started since: EC2 shows nothing of a reboot that is still to come', async () => {
      const { result, elapsedMs } = await verifyReboot(begunAt, up(900), up(901), up(1));
      expect(result).toMatchObject({ outcome: 'RECOVERED' });
      expect(elapsedMs).toBe(2000);
    });

    it.each([
      ['has run since before', running(900), /node-3: not seen to restart: its store has run for 920 s/],
      ['started just before', running(30), /not seen to restart/],
      ['does not tell', [up()], /node-3: not seen to restart: its store does not tell/],
    ])('has not recovered where its store %s', async (_what, seen, words) => {
      const { result } = await verifyReboot(begunAt, ...seen);
      expect(result).toMatchObject({ outcome: 'NOT_RECOVERED', problems: [expect.stringMatching(words)] });
    });

    it('asks for no restart where the reboot never began', async () => {
      expect((await verifyReboot(undefined, up(900))).result.outcome).toBe('RECOVERED');
    });
  });

  describe('of an instance that was terminated', () => {
    const termination = faultWith({ kind: 'INSTANCE_TERMINATE', targetNodes: ['node-3'] }, { number: 3 });
    const begunAt = iso(-30);
    const before = { known: nodes.map(({ name, instanceId }) => ({ name, instanceId, shards: ['s'] })) };
    const [one, two, three] = nodes as [LiveNode, LiveNode, LiveNode];
    const four = liveNode(4, { name: 'node-4' });
    const again = liveNode(4, { name: 'node-3' });
    const ringOf = (...names: string[]) => topologyOf([shardOf('s', ...names)]);
    type Look = { nodes: LiveNode[]; topology: StoreTopology };
    const look = (...live: LiveNode[]): Look => ({ nodes: live, topology: ringOf(...live.map(({ name }) => name)) });
    const USUAL = { given: before, begun: begunAt, state: 'completed' };
    async function verifyTermination(
      looks: Look[],
      { given, begun, state }: { given: NodesBefore | undefined; begun: string | undefined; state: string } = USUAL,
    ) {
      const clock = new SimulatedClock();
      const observe = async () => (looks.length > 1 ? looks.shift() : looks[0]) as Look;
      const { recovering } = cluster(clock, [], { observe, before: given });
      const services = [
        { faultId: 'exp.3', outcome: 'REVERTED' as const, state, ...(begun ? { begunAt: begun } : {}) },
      ];
      const audit = memoryAuditLog({ clock });
      const ended = { outcome: 'ROLLED_BACK' as const, nodes: [], services };
      const result = await verifyRecovery(experimentOf([termination]), ended, [recovering], { audit, clock });
      return { result, elapsedMs: clock.monotonicMs() };
    }

    it.each([
      ['under another name', four, 'node-4 (i-4)'],
      ['under its name', again, 'node-3 (i-4)'],
    ])('waits until another one has its place, %s, and says who and after what time', async (_how, next, who) => {
      const joining = { nodes: [one, two, next], topology: ringOf('node-1', 'node-2') };
      const { result, elapsedMs } = await verifyTermination([look(one, two), joining, look(one, two, next)]);
      expect(result).toMatchObject({
        outcome: 'RECOVERED',
        repairs: [`${who}: has its place in the store, at most 32 s after the termination`],
      });
      expect(elapsedMs).toBe(2000);
    });

    it.each<[string, Look[], NodesBefore | undefined, RegExp]>([
      ['nobody has its place', [look(one, two)], before, /^node-3: not replaced yet: 2 of 3 nodes have their place/],
      [
        'the new one is not in the store',
        [{ nodes: [one, two, four], topology: ringOf('node-1', 'node-2') }],
        before,
        /not replaced yet: 2 of 3 nodes have their place/,
      ],
      ['its own instance is there still', [look(one, two, three)], before, /^node-3: its instance is there still/],
      ['nobody knows how many there were', [look(one, two, four)], undefined, /the log does not tell who was there/],
    ])('has not recovered where %s', async (_what, looks, given, words) => {
      const { result } = await verifyTermination(looks, { ...USUAL, given });
      expect(result).toMatchObject({ outcome: 'NOT_RECOVERED' });
      expect(result.problems[0]).toMatch(words);
      expect(result).not.toHaveProperty('repairs');
    });

    it.each([
      ['stopped', begunAt],
      ['failed', undefined],
      ['cancelled', undefined],
    ])(
      'takes it as it finds it where FIS says %s: the old instance is as good as another one, and none is missing',
      async (state, begun) => {
        const ended = { given: before, begun, state };
        for (const live of [
          [one, two, three],
          [one, two, four],
        ])
          expect((await verifyTermination([look(...live)], ended)).result.outcome, live[2]?.name).toBe('RECOVERED');
        expect((await verifyTermination([look(one, two)], ended)).result).toMatchObject({
          outcome: 'NOT_RECOVERED',
          problems: [expect.stringContaining('2 of 3 nodes')],
        });
      },
    );

    it('asks nothing of nodes that have no place in the shards that were hit', async () => {
      const beside = liveNode(9, { name: 'node-9' });
      const of = (...live: LiveNode[]) => ({ nodes: live, topology: ringOf('node-1', 'node-2', 'node-4') });
      for (const live of [
        [one, two, four, beside],
        [one, two, four],
      ])
        expect((await verifyTermination([of(...live)])).result.outcome).toBe('RECOVERED');
      expect((await verifyTermination([of(one, two, beside)])).result.outcome).toBe('NOT_RECOVERED');
    });

    it('is held to who was there at admission, of its own cluster', () => {
      const experiment = experimentOf([termination, hostFault(1, 0, 'redis-other')]);
      const targets = resolvedTargetsOf(experiment).faults;
      expect(nodesBefore('redis-master', experiment, { targets })).toEqual({
        known: [{ name: 'node-3', instanceId: 'i-3', shards: ['shard-1'] }],
      });
      expect(nodesBefore('redis-none', experiment, { targets })).toEqual({ known: [] });
    });
  });
});
