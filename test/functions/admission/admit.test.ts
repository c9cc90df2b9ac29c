import { describe, expect, it } from 'vitest';
import { admit } from '../../../functions/admission/admit.ts';
import { CHECKS } from '../../../functions/admission/checks.ts';
import type { AdmissionPorts } from '../../../functions/admission/ports.ts';
import { worstCase } from '../../../functions/admission/worst-case.ts';
import { ACTIVE_EXPERIMENTS_QUOTA } from '../../../functions/aws/fis/experiments.ts';
import { beginsWithinSeconds } from '../../../functions/domain/closing.ts';
import type { Experiment, Fault, RequestedExperiment, UnchosenFault } from '../../../functions/domain/experiment.ts';
import { FENCE_UNDO } from '../../../functions/domain/faults/kind.ts';
import type { Check } from '../../../functions/domain/hypothesis.ts';
import type { CheckReading, Reading } from '../../../functions/domain/workflow.ts';
import { brokerNodes, brokerTopology } from '../domain/broker-fixtures.ts';
import { configuration, redisCluster } from '../domain/configuration-fixtures.ts';
import { experimentOf, faultWith, seedExperiment } from '../domain/experiment-fixtures.ts';
import { CALLER, reading } from '../domain/fixtures.ts';
import { checkOf, expectedAlert, hypothesisOf } from '../domain/hypothesis-fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { interfaceOf, liveNode, shardOf, topologyOf, twoOnOneHost } from '../domain/target-fixtures.ts';
import { nodes, portsOf, readings, shards } from './fixtures.ts';

const PREFIX = 'Holdfast-Test-';
const RUN = { experimentId: 'on_canary', status: 'COMPLETED' } as const;
/** Up to 50 % of the nodes may be hit at once. */
const STAGING = { tier: 'staging', blastRadius: { maxNodesPct: 50, maxTrafficSharePct: 100 } };
/** Comes after another cluster, which is there too. */
const CANARY_FIRST = { canaryFirst: { cluster: 'redis-canary' } };
const CANARY = { 'redis-canary': {} };
async function refusalOf(changes: Partial<AdmissionPorts>, cluster = {}, experiment: Experiment = seedExperiment()) {
  const admission = await admit(
    experiment,
    configuration(cluster, CANARY),
    portsOf(changes),
    new SimulatedClock(),
    PREFIX,
    CALLER,
  );
  return admission.admitted ? 'admitted' : admission.problem.type.replace('urn:holdfast:problem:', '');
}

/** Faults of one experiment, each on the nodes it names. */
const experimentWith = (...faults: [Parameters<typeof faultWith>[0], Partial<Fault>?][]): Experiment =>
  experimentOf(faults.map(([parameters, change], index) => faultWith(parameters, { ...change, number: index + 1 })));
const pause = (...targetNodes: string[]) => ({ kind: 'PROCESS_PAUSE' as const, targetNodes });
const cpu = (...targetNodes: string[]) => ({ kind: 'CPU_SPIKE' as const, targetNodes, cores: 1, loadPct: 50 });
const stop = (...targetNodes: string[]) => ({ kind: 'INSTANCE_STOP' as const, targetNodes });

async function problemOf(experiment: RequestedExperiment, changes: Partial<AdmissionPorts> = {}, cluster = {}) {
  const admission = await admit(
    experiment,
    configuration(cluster, CANARY),
    portsOf(changes),
    new SimulatedClock(),
    PREFIX,
    CALLER,
  );
  return admission.admitted ? undefined : admission.problem;
}

describe('admission', () => {
  it("admits the mission's example and gives the facts behind it", async () => {
    const admission = await admit(seedExperiment(), configuration(), portsOf(), new SimulatedClock(), PREFIX, CALLER);
    if (!admission.admitted) throw new Error(JSON.stringify(admission.problem));
    const [facts] = admission.facts.clusters;
    expect(facts).toMatchObject({ liveNodes: 12, impactedNodes: 1, impactedShards: ['shard-1'], maxNodesPct: 10 });
    expect(facts?.trafficSharePct).toBeCloseTo(0.3);
    expect(facts?.worstCase).toEqual(worstCase(redisCluster(), configuration().leaseGraceSeconds, 60, []));
    const roles = [{ shard: 'shard-1', role: 'master' }];
    expect(admission.facts.targets[0]?.impacted).toMatchObject([{ name: 'redis-node-3', instanceId: 'i-3', roles }]);
    expect(admission.facts.targets[0]?.peers.map(({ name }) => name)).toEqual(['redis-node-1', 'redis-node-2']);
  });

  it('shows what the store warns of, and refuses nothing for it', async () => {
    const seen = topologyOf(shards, { warnings: ['no replication throttle'] });
    const warned = await admit(
      seedExperiment(),
      configuration(),
      portsOf({ readTopology: async () => seen }),
      new SimulatedClock(),
      PREFIX,
      CALLER,
    );
    expect(warned).toMatchObject({ admitted: true, facts: { clusters: [{ warnings: ['no replication throttle'] }] } });
    const silent = await admit(seedExperiment(), configuration(), portsOf(), new SimulatedClock(), PREFIX, CALLER);
    expect(silent.admitted && silent.facts.clusters[0]).not.toHaveProperty('warnings');
  });

  it('counts in the worst case how old the answer of a store may be that is asked while a fault lives', async () => {
    const members = ['redis-node-1', 'redis-node-2', 'redis-node-3'];
    const probed = {
      ...{ name: 'holdfast-probe-0', problems: [] },
      members: members.map((node) => ({ node, role: node === 'redis-node-3' ? 'leader' : 'follower' })),
    };
    const replicaSets = [{ name: 'orders-0', members, inSync: members, leader: 'redis-node-3', minInSync: 2 }];
    const readTopology = async () => topologyOf([probed], { replicaSets });
    const trafficShareQuery = 'sum(rate(produced{broker="{{node}}"}[60s])) / sum(rate(produced[60s]))';
    const telemetry = { ...redisCluster().telemetry, trafficShareQuery };
    const kafka = { ...STAGING, engine: 'kafka', kafka: {}, tls: undefined, telemetry };
    const killed = experimentWith([pause('redis-node-3')]);
    const asked = await admit(
      killed,
      configuration(kafka),
      portsOf({ readTopology }),
      new SimulatedClock(),
      PREFIX,
      CALLER,
    );
    if (!asked.admitted) throw new Error(JSON.stringify(asked.problem));
    const [facts] = asked.facts.clusters;
    const { leaseGraceSeconds } = configuration();
    expect(facts?.worstCase).toEqual(worstCase(redisCluster(), leaseGraceSeconds, 60, [], true));
    expect(facts?.worstCase).not.toEqual(worstCase(redisCluster(), leaseGraceSeconds, 60, []));
  });

  it('shows what would run on each node and its undo', async () => {
    const admission = await admit(seedExperiment(), configuration(), portsOf(), new SimulatedClock(), PREFIX, CALLER);
    if (!admission.admitted) throw new Error(JSON.stringify(admission.problem));
    expect(admission.wouldRun).toEqual([
      {
        faultId: 'exp_chaos_redis_019.1',
        node: 'redis-node-3',
        instanceId: 'i-3',
        startSeconds: 0,
        document: 'Holdfast-Test-network-partition',
        parameters: expect.objectContaining({
          peerAddresses: '10.0.0.1,10.0.0.2',
          exemptAddresses: '10.0.9.9',
          packetLossPct: '100',
          fenceMasterName: 'shard-1',
        }),
        undo: [
          expect.stringContaining('redis-node-1, redis-node-2 pass again'),
          expect.stringContaining('store ports'),
          FENCE_UNDO,
        ],
      },
    ]);
  });

  const stating = (...checks: Check[]): Experiment => ({ ...seedExperiment(), hypothesis: hypothesisOf(...checks) });

  it.each<[what: string, check: Partial<Check>, field: string, allowed: RegExp]>([
    [
      'a measure that the probe of its engine does not have',
      { measure: { kind: 'PROBE', name: 'consumerLagMs', quantile: 0.99 } },
      ...(['measure.name', /^writeLatencyMs, .*staleReads$/] as const),
    ],
    [
      'a measure that its engine does not know',
      { measure: { kind: 'ENGINE', name: 'mood' } },
      'measure.name',
      /masters/,
    ],
    [
      'another unit than its engine has',
      { measure: { kind: 'ENGINE', name: 'masters' }, tolerance: { atMost: 1, unit: 'ms' } },
      ...(['tolerance.unit', /^nodes$/] as const),
    ],
    [
      'a query over too few scrapes',
      { measure: { kind: 'PROMQL', query: 'rate(x[2s])', freshness: 'x', control: 'x' } },
      ...(['measure.query', /four scrapes/] as const),
    ],
  ])('refuses a check with %s, by name and before anything else', async (_what, change, field, allowed) => {
    const experiment = stating(checkOf({ name: 'lag', when: 'STEADY' }), checkOf({ name: 'other', ...change }));
    const refused = await problemOf(experiment, { lockHolder: async () => 'another' });
    expect(refused?.type).toBe('urn:holdfast:problem:invalid-request');
    expect(refused?.errors).toEqual([
      { field: `hypothesis.checks.0.${field}`, message: expect.any(String), allowed: expect.stringMatching(allowed) },
    ]);
  });

  it('refuses an expected alert that is no alarm of the cluster and could be no alerting rule, by name', async () => {
    expect((await problemOf(stating(expectedAlert('no such / alarm'))))?.errors).toEqual([
      {
        ...{ field: 'expectedAlerts.0.name', message: expect.stringContaining('no alarm of the cluster') },
        allowed: 'orders-5xx, orders-slow',
      },
    ]);
    expect(await refusalOf({}, {}, stating(expectedAlert('orders-5xx')))).toBe('admitted');
    expect(await refusalOf({}, {}, stating(checkOf(), expectedAlert('ShardFailing')))).toBe('admitted');
  });

  it('refuses a choice that the probe of its engine does not have, which would be ignored silently', async () => {
    const refused = await problemOf({ ...seedExperiment(), probe: { acks: '1' } });
    expect(refused).toMatchObject({
      type: 'urn:holdfast:problem:invalid-request',
      errors: [{ field: 'probe.acks', message: 'is no choice of the probe of redis-master (redis)' }],
    });
    expect(await refusalOf({}, {}, { ...seedExperiment(), probe: {} })).toBe('admitted');
  });

  it('refuses when a check that must hold before does not, and when one cannot be read', async () => {
    const seen = (reading: Partial<CheckReading>) => ({
      readChecks: async () => [{ check: 'lag', held: false, reason: 'was 140 ms', ...reading }],
    });
    const experiment = stating(checkOf());
    expect(await refusalOf(seen({ held: true }), {}, experiment)).toBe('admitted');
    expect(await problemOf(experiment, seen({ value: 140 }))).toMatchObject({
      ...{ type: 'urn:holdfast:problem:steady-state-not-met', detail: 'not started: lag: was 140 ms' },
    });
    expect(await refusalOf(seen({}), {}, experiment)).toBe('telemetry-unavailable');
    const failing = { readChecks: () => Promise.reject(new Error('down')) };
    expect(await refusalOf(failing, {}, experiment)).toBe('telemetry-unavailable');
  });

  it('refuses a range that still holds the fault when nobody looks any more, and takes it where only the past counts', async () => {
    const measure = { kind: 'PROMQL' as const, query: 'sum(rate(x[5m]))', freshness: 'x', control: 'x' };
    const late = await problemOf(stating(checkOf({ measure, when: 'AFTER_ROLLBACK', withinSeconds: 30 })));
    expect(late?.errors).toMatchObject([
      { field: 'hypothesis.checks.0.measure.query', message: expect.stringContaining('[5m]') },
    ]);
    expect(await refusalOf({}, {}, stating(checkOf({ measure, when: 'BEFORE' })))).toBe('admitted');
  });

  it('asks nothing of telemetry about a hypothesis that is not there', async () => {
    expect(await refusalOf({ readChecks: () => Promise.reject(new Error('asked')) })).toBe('admitted');
  });

  it('refuses to start when a fault would cut telemetry', async () => {
    expect(await refusalOf({ exemptAddresses: async () => ['10.0.0.1'] })).toBe('fault-not-allowed');
  });

  it('says why nobody tells of the store, rather than that every node is unknown', async () => {
    const problem = await problemOf(seedExperiment(), {
      readTopology: async () =>
        topologyOf([], { problems: ['redis-node-3: TLS: its certificate is for another name'] }),
    });
    expect(problem?.type).toBe('urn:holdfast:problem:steady-state-not-met');
    expect(problem?.detail).toMatch(/its certificate is for another name/);
  });

  it('refuses in the documented order', () => {
    expect(CHECKS.map(({ name }) => name)).toEqual([
      'cluster',
      'kill switch',
      'rights',
      'approval',
      'hypothesis',
      'choices of the probe',
      'kind policy',
      'probe',
      'canary first',
      'window',
      'change calendar',
      'lock',
      'chosen nodes',
      'nodes',
      'instance store',
      'Auto Scaling',
      'share of nodes',
      'replication',
      'probed roles',
      'share of traffic',
      'alarms',
      'service quota',
      'guardrails',
      'steady state',
      'store health',
      'targets',
    ]);
  });

  it.each(Object.keys(portsOf()) as (keyof AdmissionPorts)[])(
    'refuses to start when %s cannot be answered',
    async (port) => {
      const failing = {
        [port]: async () => {
          throw new Error('timed out');
        },
      };
      const expected = ['readGuardrails', 'readChecks', 'readTrafficShare'].includes(port)
        ? 'telemetry-unavailable'
        : 'control-plane-unknown';
      // With a fault of a host and one of a service, so that everything is asked.
      const experiment = {
        ...experimentWith([pause('redis-node-3')], [stop('redis-node-6')]),
        hypothesis: hypothesisOf(checkOf()),
      };
      const cluster = { ...STAGING, ...CANARY_FIRST, changeCalendar: 'production-changes' };
      const confirmed = { runsOn: async () => [{ ...RUN, outcome: 'CONFIRMED' as const }] };
      expect(await refusalOf(confirmed, cluster, experiment)).toBe('admitted');
      expect(await refusalOf({ ...confirmed, ...failing }, cluster, experiment)).toBe(expected);
    },
  );

  describe('of a cluster that comes after a canary', () => {
    const seen: unknown[][] = [];
    const saying = (outcomes: Record<string, 'CONFIRMED' | 'DEVIATED'>): Partial<AdmissionPorts> => ({
      runsOn: async (...asked) => {
        seen.push(asked);
        const outcome = outcomes[asked[1]];
        return outcome ? [{ ...RUN, outcome }] : [];
      },
    });
    const both = experimentWith([pause('redis-node-3')], [cpu('redis-node-6')]);
    const cluster = { ...STAGING, canaryFirst: { cluster: 'redis-canary', withinDays: 7 } };

    it('refuses a kind that was not confirmed there, and names it and the canary', async () => {
      const problem = await problemOf(both, saying({ PROCESS_PAUSE: 'CONFIRMED' }), cluster);
      expect(problem).toMatchObject({ type: 'urn:holdfast:problem:not-confirmed-on-canary', status: 409 });
      expect(problem?.detail).toMatch(/CPU_SPIKE was not confirmed on redis-canary in the last 7 days$/);
      expect(problem?.detail).not.toMatch(/PROCESS_PAUSE/);
    });

    it('admits what was confirmed there since then, every kind of it', async () => {
      seen.length = 0;
      const all = saying({ PROCESS_PAUSE: 'CONFIRMED', CPU_SPIKE: 'CONFIRMED' });
      expect(await refusalOf(all, cluster, both)).toBe('admitted');
      const sinceMs = new SimulatedClock().nowEpochMs() - 7 * 86_400_000;
      expect(seen).toEqual([
        ['redis-canary', 'PROCESS_PAUSE', sinceMs],
        ['redis-canary', 'CPU_SPIKE', sinceMs],
      ]);
    });

    it('asks nobody for a cluster that does not', async () => {
      seen.length = 0;
      expect(await refusalOf(saying({}), STAGING, both)).toBe('admitted');
      expect(seen).toEqual([]);
    });
  });

  it('refuses to start what may outlast the probe: nobody would see the end', async () => {
    const stopped = { ...experimentWith([stop('redis-node-3')]), durationSeconds: 600 };
    expect(await problemOf(stopped)).toMatchObject({ status: 422, errors: [{ field: 'durationSeconds' }] });
    expect(await refusalOf({}, {}, { ...seedExperiment(), durationSeconds: 600 })).toBe('admitted');
    expect(await refusalOf({}, { budgets: { recoverySeconds: 600 } })).toBe('admitted');
    // With a hypothesis it looks on for some seconds more.
    const longest = { budgets: { recoverySeconds: 160 } };
    expect(await refusalOf({}, longest, { ...seedExperiment(), durationSeconds: 600 })).toBe('admitted');
    expect(await refusalOf({}, longest, { ...stating(checkOf()), durationSeconds: 600 })).toBe('fault-not-allowed');
  });

  it('refuses to start when the kill switch is engaged, of all clusters or of this one, and says who did it and why', async () => {
    const engagement = { by: 'arn:aws:iam::1:user/a', at: '2026-05-29T13:12:00.000Z', reason: 'a bad release' };
    const asked: string[] = [];
    const engagedSwitch = async (cluster: string) => {
      asked.push(cluster);
      return { cluster, engaged: true, engagement };
    };
    expect(await refusalOf({ engagedSwitch })).toBe('kill-switch-engaged');
    expect(asked).toEqual(['redis-master']);
  });

  it('refuses to start when another experiment holds the cluster, and names it', async () => {
    const admission = await admit(
      seedExperiment(),
      configuration(),
      portsOf({ lockHolder: async () => 'exp_other' }),
      new SimulatedClock(),
      PREFIX,
      CALLER,
    );
    expect(admission).toMatchObject({ admitted: false, problem: { status: 409, heldBy: 'exp_other' } });
  });

  it('refuses a cluster that is not configured, also one named like a built-in', async () => {
    for (const cluster of ['redis-other', 'constructor']) {
      const experiment = seedExperiment();
      const faults = experiment.faults.map((fault) => ({ ...fault, cluster }));
      expect(await refusalOf({}, {}, { ...experiment, faults })).toBe('unknown-cluster');
    }
  });

  it('refuses to start outside the window', async () => {
    const window = { daysOfWeek: ['FRI'], start: '13:00', end: '14:00' };
    expect(await refusalOf({}, { window })).toBe('admitted');
    expect(await refusalOf({}, { window: { ...window, start: '12:00', end: '13:00' } })).toBe('outside-window');
    expect(await refusalOf({}, { window: { ...window, daysOfWeek: ['SAT'] } })).toBe('outside-window');
    expect(await refusalOf({}, { window: { ...window, timeZone: 'Asia/Kolkata' } })).toBe('outside-window');
  });

  describe('refuses a fault that could outlive the window', () => {
    const window = { daysOfWeek: ['FRI'], start: '13:00', end: '14:00' };
    const experiment = seedExperiment();
    /** The last moment at which it fits: it has 60 s. */
    const latestMs = Date.parse('2026-06-05T14:00:00Z') - 60_000 - beginsWithinSeconds(experiment.faults) * 1000;
    const at = (epochMs: number, deployment = {}, options = {}) =>
      admit(
        experiment,
        configuration({ window }, {}, {}, deployment),
        portsOf(),
        new SimulatedClock(epochMs),
        PREFIX,
        CALLER,
        options,
      );
    const outside = {
      problem: { type: 'urn:holdfast:problem:outside-window', closesAt: '2026-06-05T14:00:00.000Z' },
    };

    it('counted from when the fault may be there at the latest, and says when the window ends', async () => {
      expect(await at(latestMs)).toMatchObject({
        admitted: true,
        facts: { closing: { at: '2026-06-05T14:00:00.000Z', what: 'the window of redis-master' } },
      });
      expect(await at(latestMs + 1)).toMatchObject(outside);
      expect(
        await admit(experiment, configuration(), portsOf(), new SimulatedClock(), PREFIX, CALLER),
      ).not.toHaveProperty('facts.closing');
    });

    it('counted from its announced start, until that has come', async () => {
      const deployment = { notifications: { announce: { leadSeconds: 300 } } };
      expect(await at(latestMs - 299_999, deployment)).toMatchObject(outside);
      expect(await at(latestMs - 300_000, deployment)).toMatchObject({ admitted: true });
      expect(await at(latestMs, deployment, { isAnnounced: true })).toMatchObject({ admitted: true });
      expect(await at(latestMs + 1, deployment, { isAnnounced: true })).toMatchObject(outside);
    });

    it('and keeps for the injection the earliest end of window, calendar and the hours of the principal', async () => {
      const closing = async (until: string, changesAt: string) => {
        const principals = [{ principal: CALLER.arn, window: { ...window, end: until } }];
        const deployment = configuration({ window, changeCalendar: 'changes' }, {}, {}, { principals });
        const ports = portsOf({ changeCalendar: async () => ({ state: 'OPEN', changesAt }) });
        const admission = await admit(
          experiment,
          deployment,
          ports,
          new SimulatedClock(latestMs - 1800_000),
          PREFIX,
          CALLER,
        );
        return admission.admitted && admission.facts.closing?.what;
      };
      expect(await closing('15:00', '2026-06-05T15:00:00Z')).toBe('the window of redis-master');
      expect(await closing('13:59', '2026-06-05T15:00:00Z')).toBe(`the window of ${CALLER.arn}`);
      expect(await closing('13:59', '2026-06-05T13:58:59Z')).toBe('the open time of change calendar changes');
    });
  });

  it('refuses while the change calendar is not open, or closes before the fault is over; where there is none asks nobody', async () => {
    const changeCalendar = 'production-changes';
    const saying = (state: string, changesAt?: string) => ({
      changeCalendar: async () => ({ state, ...(changesAt === undefined ? {} : { changesAt }) }),
    });
    const livesMs = (60 + beginsWithinSeconds(seedExperiment().faults)) * 1000;
    const inTime = new Date(new SimulatedClock().nowEpochMs() + livesMs).toISOString();
    const tooSoon = new Date(new SimulatedClock().nowEpochMs() + livesMs - 1000).toISOString();
    expect(await refusalOf(saying('OPEN'), { changeCalendar })).toBe('admitted');
    expect(await refusalOf(saying('OPEN', inTime), { changeCalendar })).toBe('admitted');
    expect(await refusalOf(saying('OPEN', tooSoon), { changeCalendar })).toBe('outside-window');
    expect(await refusalOf(saying('OPEN', 'soon'), { changeCalendar })).toBe('outside-window');
    for (const state of ['CLOSED', 'UNKNOWN'])
      expect(await refusalOf(saying(state), { changeCalendar })).toBe('outside-window');
    expect(await refusalOf(saying('CLOSED'))).toBe('admitted');
  });

  it('refuses when a named node does not run, even if it is only a peer', async () => {
    expect(await refusalOf({ listLiveNodes: async () => nodes.slice(1) })).toBe('unknown-node');
  });

  it('refuses a node that the store does not know', async () => {
    expect(await refusalOf({ readTopology: async () => topologyOf(shards.slice(1)) })).toBe('unknown-node');
  });

  it('tells a cluster that is too small so, with the number of nodes that are needed', async () => {
    const small = portsOf({ listLiveNodes: async () => nodes.slice(0, 9) });
    const admission = await admit(seedExperiment(), configuration(), small, new SimulatedClock(), PREFIX, CALLER);
    expect(admission).toMatchObject({
      problem: { type: 'urn:holdfast:problem:cluster-too-small', neededNodes: 10, liveNodes: 9 },
    });
  });

  it('refuses targets that serve more than a tenth of the traffic, or an unknown part of it', async () => {
    expect(await refusalOf({ readTrafficShare: async () => 0.1 })).toBe('admitted');
    expect(await refusalOf({ readTrafficShare: async () => 0.1001 })).toBe('blast-radius-exceeded');
    expect(await refusalOf({ readTrafficShare: async () => Number.NaN })).toBe('telemetry-unavailable');
  });

  it.each(['ALARM', 'INSUFFICIENT_DATA', undefined])('refuses to start when an alarm is %s', async (state) => {
    const states = new Map([['orders-5xx', 'OK']]);
    if (state !== undefined) states.set('orders-slow', state);
    expect(await refusalOf({ readAlarmStates: async () => states })).toBe('alarm-firing');
  });

  it('refuses to start when a guardrail is breached, stale, blind or missing', async () => {
    const withLast = (change: Partial<Reading>) => ({
      readGuardrails: async () => [...readings.slice(0, 2), reading('freeWorkersPct', change)],
    });
    expect(await refusalOf(withLast({ breached: true }))).toBe('steady-state-not-met');
    expect(await refusalOf(withLast({ ageSeconds: 3.1 }))).toBe('telemetry-unavailable');
    expect(await refusalOf(withLast({ value: Number.NaN }))).toBe('telemetry-unavailable');
    expect(await refusalOf({ readGuardrails: async () => readings.slice(0, 2) })).toBe('telemetry-unavailable');
  });

  it('refuses to start when the store is not healthy', async () => {
    const ill = shards.map((shard, index) => (index === 3 ? { ...shard, problems: ['link down'] } : shard));
    expect(await refusalOf({ readTopology: async () => topologyOf(ill) })).toBe('steady-state-not-met');
    expect(
      await refusalOf({ readTopology: async () => topologyOf(shards, { problems: ['a node has no shard'] }) }),
    ).toBe('steady-state-not-met');
  });
});

describe('admission of a fault on a member of an Auto Scaling group', () => {
  const members = nodes.map((node) => ({ ...node, tags: { ...node.tags, 'aws:autoscaling:groupName': 'stores' } }));
  const group = { name: 'stores', healthChecks: ['EC2'], suspendedProcesses: [] as string[] };
  const grouped = (suspendedProcesses: string[]) => ({
    listLiveNodes: async () => members,
    scalingGroups: async () => [{ ...group, suspendedProcesses }],
  });
  const stopped = experimentWith([stop('redis-node-3')]);

  it('is refused while the group could replace it: a stop would be a termination', async () => {
    expect(await problemOf(stopped, grouped([]))).toMatchObject({
      type: 'urn:holdfast:problem:fault-not-allowed',
      detail: expect.stringContaining('the Auto Scaling group stores could replace redis-node-3'),
      scalingGroups: [group],
    });
  });

  it('is admitted with the processes of the group suspended, and says so', async () => {
    const suspended = ['Terminate', 'HealthCheck', 'ReplaceUnhealthy'];
    const ports = portsOf(grouped(suspended));
    const admission = await admit(stopped, configuration(), ports, new SimulatedClock(), PREFIX, CALLER);
    if (!admission.admitted) throw new Error(JSON.stringify(admission.problem));
    expect(admission.facts.clusters[0]?.scalingGroups).toEqual([{ ...group, suspendedProcesses: suspended }]);
  });
});

describe('admission of several faults', () => {
  it('counts a node that two faults hit once, and all nodes of all faults together', async () => {
    const twice = experimentWith([pause('redis-node-3')], [cpu('redis-node-3')]);
    expect(await problemOf(twice)).toBeUndefined();
    const two = experimentWith([pause('redis-node-3')], [cpu('redis-node-6'), { startSeconds: 30 }]);
    expect(await problemOf(two)).toMatchObject({
      type: 'urn:holdfast:problem:blast-radius-exceeded',
      impactedNodes: 2,
      maxImpactedNodes: 1,
    });
  });

  it('never lets two faults together take more of a shard than replication survives', async () => {
    const both = experimentWith([pause('redis-node-3')], [cpu('redis-node-2'), { startSeconds: 30 }]);
    expect(await problemOf(both, {}, STAGING)).toMatchObject({ shard: 'shard-1', remainingNodes: 1 });
  });

  it('asks every check of every cluster, and what would run says when and for how long', async () => {
    const asked: string[] = [];
    const both = configuration({}, { 'redis-other': {} });
    const experiment = experimentWith(
      [pause('redis-node-3'), { cluster: 'redis-other', startSeconds: 20 }],
      [cpu('redis-node-6'), { startSeconds: 0 }],
    );
    const lockHolder = async (name: string) => {
      asked.push(name);
      return undefined;
    };
    const listLiveNodes: AdmissionPorts['listLiveNodes'] = async ({ selectTags }) =>
      nodes.map((node) => ({ ...node, tags: selectTags }));
    const apart = portsOf({ lockHolder, listLiveNodes });
    const admission = await admit(experiment, both, apart, new SimulatedClock(), PREFIX, CALLER);
    if (!admission.admitted) throw new Error(JSON.stringify(admission.problem));
    expect(asked).toEqual(['redis-master', 'redis-other']);
    expect(admission.facts.clusters.map(({ impactedNodes }) => impactedNodes)).toEqual([1, 1]);
    expect(admission.wouldRun).toMatchObject([
      { node: 'redis-node-6', startSeconds: 0, parameters: { ttlSeconds: '60' } },
      { node: 'redis-node-3', startSeconds: 20, parameters: { ttlSeconds: '40' } },
    ]);
    const refused = await admit(
      experiment,
      both,
      portsOf({ lockHolder: async (name) => (name === 'redis-other' ? 'exp_x' : undefined) }),
      new SimulatedClock(),
      PREFIX,
      CALLER,
    );
    expect(refused).toMatchObject({ admitted: false, problem: { cluster: 'redis-other', heldBy: 'exp_x' } });
  });
});

describe('admission where an instance runs two stores', () => {
  const one = (number: number) => twoOnOneHost(number).map(({ name }) => name);
  const pairs = [1, 2, 3, 4, 5, 6].map((number) => twoOnOneHost(number, { addresses: [`10.0.0.${number}`] }));
  /** Two shards over six hosts each: no shard has two nodes on a host. */
  const [first, second] = [0, 1].map((place) => pairs.map((pair) => pair[place]?.name ?? ''));
  const shardsOfHosts = [shardOf('shard-1', ...(first ?? [])), shardOf('shard-2', ...(second ?? []))];
  const changes = {
    listLiveNodes: async () => pairs.flat(),
    readTopology: async () => topologyOf(shardsOfHosts),
  };
  const TWO = { ...STAGING, port: [6379, 6380], unit: 'redis@{port}' };
  const [, , third = ''] = first ?? [];

  it('counts every node of a host that a fault hits as a whole, and one of a fault on a process', async () => {
    const factsOf = async (fault: ReturnType<typeof pause> | ReturnType<typeof cpu>) => {
      const experiment = experimentWith([fault]);
      const clock = new SimulatedClock();
      const admission = await admit(experiment, configuration(TWO), portsOf(changes), clock, PREFIX, CALLER);
      return admission.admitted ? admission.facts.clusters : admission.problem;
    };
    expect(await factsOf(pause(third))).toMatchObject([
      { impactedNodes: 1, impactedShards: ['shard-1'], liveNodes: 12 },
    ]);
    expect(await factsOf(cpu(third))).toMatchObject([{ impactedNodes: 2, impactedShards: ['shard-1', 'shard-2'] }]);
    // One node of twelve would be allowed, the two of its host are not.
    const tenth = { ...TWO, blastRadius: { maxNodesPct: 10, maxTrafficSharePct: 100 } };
    expect(await problemOf(experimentWith([pause(third)]), changes, tenth)).toBeUndefined();
    expect(await problemOf(experimentWith([cpu(third)]), changes, tenth)).toMatchObject({
      ...{ type: 'urn:holdfast:problem:blast-radius-exceeded', impactedNodes: 2, maxImpactedNodes: 1 },
    });
  });

  it('asks whether replication survives the loss of every node of the host', async () => {
    const [a = '', b = ''] = one(1);
    const [c = ''] = one(2);
    const others = pairs.slice(2).flatMap((pair) => pair.map(({ name }) => name));
    const together = [shardOf('shard-1', a, b, c), shardOf('shard-2', ...others)];
    const of = { ...changes, readTopology: async () => topologyOf(together) };
    expect(await problemOf(experimentWith([pause(a)]), of, TWO)).toBeUndefined();
    expect(await problemOf(experimentWith([cpu(a)]), of, TWO)).toMatchObject({ shard: 'shard-1', remainingNodes: 1 });
  });
});

describe('admission of nodes chosen by their roles', () => {
  const byRole = (...targetNodes: unknown[]): UnchosenFault => ({
    ...{ faultId: 'exp.1', name: '1', kind: 'PROCESS_PAUSE', cluster: 'redis-master', startSeconds: 0 },
    parameters: { kind: 'PROCESS_PAUSE', targetNodes },
  });
  const requested = (...faults: (UnchosenFault | Fault)[]) => ({ ...experimentOf([]), faults });
  const master = { role: 'master', of: 'shard-1' };

  it('admits names, and everything behind them is of these nodes', async () => {
    const admission = await admit(
      requested(byRole(master)),
      configuration(),
      portsOf(),
      new SimulatedClock(),
      PREFIX,
      CALLER,
    );
    if (!admission.admitted) throw new Error(JSON.stringify(admission.problem));
    expect(admission.experiment.faults).toMatchObject([
      {
        impactedNodes: ['redis-node-3'],
        parameters: { targetNodes: ['redis-node-3'] },
        chosenBy: [{ selector: master, nodes: ['redis-node-3'] }],
      },
    ]);
    expect(admission.facts.targets).toMatchObject([{ impacted: [{ name: 'redis-node-3' }] }]);
    expect(admission.wouldRun).toMatchObject([{ node: 'redis-node-3' }]);
  });

  it('refuses what the store does not have, with the field and what there is', async () => {
    expect(await problemOf(requested(byRole({ role: 'master', of: 'shard-9' })))).toMatchObject({
      ...{ status: 422, type: 'urn:holdfast:problem:unknown-node' },
      errors: [{ field: 'parameters.targetNodes.0.of', allowed: 'shard-1, shard-2, shard-3, shard-4' }],
    });
    const second = { ...byRole({ role: 'master', of: 'shard-9' }), faultId: 'exp.2' };
    expect(await problemOf(requested(faultWith(pause('redis-node-6')), second), {}, STAGING)).toMatchObject({
      errors: [{ field: 'faults.1.parameters.targetNodes.0.of' }],
    });
  });

  it('refuses a role that is not certain: unknown means no', async () => {
    const doubtful = {
      ...{ name: 'shard-1', problems: ['Sentinels disagree on the master'] },
      members: ['redis-node-1', 'redis-node-2', 'redis-node-3'].map((node) => ({ node })),
    };
    const changes = { readTopology: async () => topologyOf([doubtful, ...shards.slice(1)]) };
    expect(await problemOf(requested(byRole(master)), changes)).toMatchObject({
      type: 'urn:holdfast:problem:unknown-node',
      detail: expect.stringContaining('Sentinels disagree'),
    });
  });

  it('refuses two faults that meet on one node once its name is known', async () => {
    const named = faultWith(pause('redis-node-3'), { number: 2, startSeconds: 5 });
    expect(await problemOf(requested(byRole(master), named), {}, STAGING)).toMatchObject({
      type: 'urn:holdfast:problem:fault-not-allowed',
      errors: [{ field: 'faults.1.parameters', message: expect.stringContaining('redis-node-3') }],
    });
  });

  it('counts the chosen nodes for the blast radius', async () => {
    const replicas = byRole({ role: 'replica', of: 'shard-1', count: 2 });
    expect(await problemOf(requested(replicas))).toMatchObject({
      ...{ type: 'urn:holdfast:problem:blast-radius-exceeded', impactedNodes: 2 },
    });
  });

  it('refuses one broker of three as production, with the numbers: it is more than 10 %', async () => {
    const brokers = { listLiveNodes: async () => brokerNodes, readTopology: async () => brokerTopology() };
    const leader = requested(byRole({ role: 'leader', of: 'orders-0' }));
    expect(await problemOf(leader, brokers, { tier: 'production' })).toMatchObject({
      ...{ status: 422, type: 'urn:holdfast:problem:cluster-too-small', liveNodes: 3, impactedNodes: 1 },
      ...{ maxNodesPct: 10, maxImpactedNodes: 0, neededNodes: 10 },
    });
  });

  it('asks the store nothing about roles while another experiment holds the cluster', async () => {
    const changes = { lockHolder: async () => 'exp_other', readTopology: () => Promise.reject(new Error('asked')) };
    expect(await problemOf(requested(byRole(master)), changes)).toMatchObject({ heldBy: 'exp_other' });
  });
});

describe('admission of a fault that takes more than replication survives', () => {
  const engine = {
    ...{ engine: 'kafka', unit: 'kafka', port: 9092, dataDirectory: '/var/lib/kafka', secretName: 'kafka' },
    ...{ credentialsFor: { securityGroupId: 'sg-1' }, kafka: { sasl: 'SCRAM-SHA-512' } },
    telemetry: { prometheusUrl: 'https://prometheus.example:9090', trafficShareQuery: 'share{n="{{node}}"}' },
  };
  const staging = { tier: 'staging', blastRadius: { maxNodesPct: 70, maxTrafficSharePct: 100 } };
  const most = experimentWith([pause('kafka-node-1', 'kafka-node-2')]);
  const survived = experimentWith([pause('kafka-node-1')]);
  const brokers = { listLiveNodes: async () => brokerNodes, readTopology: async () => brokerTopology() };
  const admitted = async (experiment: Experiment, cluster: object) => {
    const ports = portsOf(brokers);
    const deployment = configuration({ ...engine, ...cluster });
    const admission = await admit(experiment, deployment, ports, new SimulatedClock(), PREFIX, CALLER);
    if (!admission.admitted) throw new Error(JSON.stringify(admission.problem));
    return admission.facts.clusters[0];
  };
  const asksTheStore = (facts: Awaited<ReturnType<typeof admitted>>) =>
    facts?.worstCase.abortTerms.some(({ step }) => step.includes('the answer of the store'));

  it('is refused where the data are not disposable', async () => {
    expect(await problemOf(most, brokers, { ...engine, ...staging })).toMatchObject({
      type: 'urn:holdfast:problem:blast-radius-exceeded',
      detail: expect.stringContaining('orders-0 would keep 1 of 3'),
    });
  });

  it('is admitted where they are, and the dry run and the log say why the store will not survive it', async () => {
    const facts = await admitted(most, { ...engine, ...staging, disposable: true });
    expect(facts?.toleratedLoss).toMatch(/^orders-0 would keep 1 of 3/);
    expect(asksTheStore(facts)).toBe(true);
  });

  it('is no other for what is survived there: nothing is tolerated', async () => {
    const facts = await admitted(survived, { ...engine, ...staging, disposable: true });
    expect(facts).not.toHaveProperty('toleratedLoss');
  });

  it('is refused in production, whatever is configured', async () => {
    // Enough nodes that two are less than a tenth of them.
    const many = Array.from({ length: 30 }, (_, index) => ({
      ...brokerNodes[0],
      ...liveNode(index + 1, { name: `kafka-node-${index + 1}`, addresses: [`10.0.0.${index + 1}`], port: 9092 }),
    }));
    const fleet = { ...brokers, listLiveNodes: async () => many };
    expect(await problemOf(most, fleet, { ...engine, disposable: true })).toMatchObject({
      type: 'urn:holdfast:problem:blast-radius-exceeded',
      detail: expect.stringContaining('orders-0 would keep 1 of 3'),
    });
    expect(await problemOf(survived, fleet, { ...engine, disposable: true })).toBeUndefined();
  });

  it('is refused for an engine of which those that are left could not tell how they are', async () => {
    const both = experimentWith([pause('redis-node-3', 'redis-node-2')]);
    expect(await problemOf(both, {}, { ...STAGING, disposable: true })).toMatchObject({ remainingNodes: 1 });
  });
});

describe('admission of a termination', () => {
  const [NODE_1, NODE_2, NODE_3] = ['cassandra-node-1', 'cassandra-node-2', 'cassandra-node-3'];
  const names = [NODE_1, NODE_2, NODE_3];
  const tags = { 'aws:autoscaling:groupName': 'ring' };
  const live = names.map((name, index) => liveNode(index + 1, { name, port: 9042, tags }));
  const group = {
    ...{ name: 'ring', healthChecks: ['EC2'], suspendedProcesses: [], healthCheckGraceSeconds: 3600 },
    keeps: { desiredCapacity: 3, inService: live.map(({ instanceId }) => instanceId) },
  };
  const set = { name: 'orders-dc1', members: names, inSync: names, minInSync: 2, memberRole: 'replica' };
  const ring = topologyOf(
    [
      {
        ...{ name: 'holdfast_probe-dc1', problems: [] },
        members: names.map((node) => ({ node, role: node === NODE_3 ? 'replica' : 'seed' })),
      },
    ],
    { replicaSets: [set], silentNodes: [] },
  );
  const ports = {
    listLiveNodes: async () => live,
    readTopology: async () => ring,
    scalingGroups: async () => [group],
  };
  const cluster = {
    ...{ tier: 'staging', blastRadius: { maxNodesPct: 70, maxTrafficSharePct: 100 }, instancesMayBeTerminated: true },
    ...{ engine: 'cassandra', port: 9042, cassandra: { seeds: [NODE_1, NODE_2], keyspaces: [] } },
    telemetry: { prometheusUrl: 'https://prometheus.example:9090', trafficShareQuery: 'share{n="{{node}}"}' },
  };
  const terminate = (...targetNodes: string[]) =>
    experimentWith([{ kind: 'INSTANCE_TERMINATE' as const, targetNodes }]);

  it('is admitted where its group replaces the instance and others have its data, and says what cannot be undone', async () => {
    const admission = await admit(
      terminate(NODE_3),
      configuration(cluster),
      portsOf(ports),
      new SimulatedClock(),
      PREFIX,
      CALLER,
    );
    if (!admission.admitted) throw new Error(JSON.stringify(admission.problem));
    expect(admission.facts.irreversible).toMatchObject([{ kind: 'INSTANCE_TERMINATE' }]);
    // What the group holds now is no fact of the run: a fleet's group has many instances.
    expect(admission.facts.clusters[0]?.scalingGroups?.[0]).not.toHaveProperty('keeps');
  });

  it.each<[string, RegExp, object, string[]]>([
    ['the cluster does not allow it', /instancesMayBeTerminated/, { instancesMayBeTerminated: false }, [NODE_3]],
    ['the node is a seed', /cassandra-node-1: a seed, in whose place no new node can start/, {}, [NODE_1]],
  ])('is refused where %s', async (_why, words, change, targets) => {
    const problem = await problemOf(terminate(...targets), ports, { ...cluster, ...change });
    expect(problem?.detail).toMatch(words);
  });

  it('is refused beyond what replication survives, also where the data are disposable', async () => {
    const none = topologyOf(
      ring.shards.map((shard) => ({ ...shard, members: names.map((node) => ({ node, role: 'replica' })) })),
      { replicaSets: [set], silentNodes: [] },
    );
    const many = { ...ports, readTopology: async () => none };
    const problem = await problemOf(terminate(NODE_2, NODE_3), many, { ...cluster, disposable: true });
    expect(problem).toMatchObject({
      type: 'urn:holdfast:problem:blast-radius-exceeded',
      detail: expect.stringMatching(/^orders-dc1 would keep 1 of 3/),
    });
  });

  it('is refused for an engine of which nobody could say that another instance took the place', async () => {
    const redis = { ...STAGING, instancesMayBeTerminated: true };
    const problem = await problemOf(terminate('redis-node-3'), { scalingGroups: async () => [group] }, redis);
    expect(problem?.detail).toContain('redis keeps in mind a node that is gone');
  });
});

describe('admission of faults that a kind forbids', () => {
  it('refuses a zone on production, whatever the payload says, and allows it on staging', async () => {
    const zone = { kind: 'AZ_DISCONNECT' as const, availabilityZone: 'eu-west-1c', targetNodes: ['redis-node-3'] };
    expect(await problemOf(experimentWith([zone]))).toMatchObject({
      type: 'urn:holdfast:problem:fault-not-allowed',
      refusals: [{ kind: 'AZ_DISCONNECT', reason: expect.stringContaining('staging') }],
    });
    const all = { ...zone, targetNodes: ['redis-node-3', 'redis-node-6', 'redis-node-9', 'redis-node-12'] };
    expect(await problemOf(experimentWith([all]), {}, STAGING)).toBeUndefined();
    const crowded = nodes.slice(2).map((node) => interfaceOf({ ...node, subnetId: 'subnet-c' }));
    expect(await problemOf(experimentWith([all]), { interfacesIn: async () => crowded }, STAGING)).toMatchObject({
      type: 'urn:holdfast:problem:fault-not-allowed',
      detail: expect.stringContaining('others than the targets would be cut off'),
    });
    // Others in that zone would be cut off too, without having been counted.
    expect(await problemOf(experimentWith([zone]), {}, STAGING)).toMatchObject({
      type: 'urn:holdfast:problem:fault-not-allowed',
      detail: expect.stringContaining('not named: redis-node-6'),
    });
  });

  it('refuses a clock that drifts far where data is not disposable', async () => {
    const drift = { kind: 'CLOCK_DRIFT' as const, targetNodes: ['redis-node-3'], offsetMs: 60_000 };
    expect(await problemOf(experimentWith([drift]))).toMatchObject({ status: 422, title: expect.any(String) });
    expect(await problemOf(experimentWith([drift]), {}, { disposable: true })).toBeUndefined();
    expect(await problemOf(experimentWith([{ ...drift, offsetMs: 400 }]))).toBeUndefined();
  });

  it('tells beforehand what no rollback takes back', async () => {
    const reboot = { kind: 'INSTANCE_REBOOT' as const, targetNodes: ['redis-node-3'] };
    const experiment = experimentWith([pause('redis-node-6')], [reboot]);
    const admission = await admit(experiment, configuration(STAGING), portsOf(), new SimulatedClock(), PREFIX, CALLER);
    if (!admission.admitted) throw new Error(JSON.stringify(admission.problem));
    expect(admission.facts.irreversible).toMatchObject([
      { kind: 'INSTANCE_REBOOT', text: expect.stringMatching(/\S/) },
    ]);
  });
});

describe('admission of faults in the service', () => {
  it('shows the template’s action, its undo and its bound, and the bound without a lease', async () => {
    const admission = await admit(
      experimentWith([stop('redis-node-3')]),
      configuration(),
      portsOf(),
      new SimulatedClock(),
      PREFIX,
      CALLER,
    );
    if (!admission.admitted) throw new Error(JSON.stringify(admission.problem));
    expect(admission.wouldRun).toMatchObject([
      {
        kind: 'INSTANCE_STOP',
        cluster: 'redis-master',
        startSeconds: 0,
        nodes: [{ node: 'redis-node-3', instanceId: 'i-3' }],
        action: {
          actionId: 'aws:ec2:stop-instances',
          boundSeconds: 60,
          undo: [expect.any(String), expect.any(String)],
        },
      },
    ]);
    expect(admission.facts.clusters[0]?.worstCase.service).toMatchObject({ bounds: [{ seconds: 60 }] });
  });

  it('refuses to stop an instance that would lose its data, unless the cluster says it may', async () => {
    const changes = { instanceStoreOf: async (ids: string[]) => ids.filter((id) => id === 'i-3') };
    const experiment = experimentWith([stop('redis-node-3')]);
    expect(await problemOf(experiment, changes)).toMatchObject({
      type: 'urn:holdfast:problem:fault-not-allowed',
      nodes: ['redis-node-3'],
    });
    expect(await problemOf(experiment, changes, { instanceStoreDataMayBeLost: true })).toBeUndefined();
    expect(await problemOf(experimentWith([pause('redis-node-3')]), changes)).toBeUndefined();
  });

  it.each([
    [ACTIVE_EXPERIMENTS_QUOTA - 2, 2, undefined],
    [ACTIVE_EXPERIMENTS_QUOTA - 1, 2, 'urn:holdfast:problem:service-quota'],
    [ACTIVE_EXPERIMENTS_QUOTA, 0, undefined],
  ])('with %i active experiments and %i asked for gives %s', async (active, wanted, type) => {
    const stopped = ['redis-node-3', 'redis-node-6'].slice(0, wanted).map((node) => faultWith(stop(node)));
    const experiment = experimentOf([faultWith(pause('redis-node-9')), ...stopped]);
    const problem = await problemOf(experiment, { activeFisExperiments: async () => active }, STAGING);
    expect(problem?.type).toBe(type);
    if (type) expect(problem).toMatchObject({ status: 409, active, wanted, quota: ACTIVE_EXPERIMENTS_QUOTA });
  });
});
