import { describe, expect, it } from 'vitest';
import { admit } from '../../../functions/admission/admit.ts';
import { CHECKS } from '../../../functions/admission/checks.ts';
import type { AdmissionPorts } from '../../../functions/admission/ports.ts';
import type { Experiment } from '../../../functions/experiment/experiment.ts';
import type { Reading } from '../../../functions/experiment/workflow.ts';
import { configuration, fakeClock, seedExperiment } from '../experiment/fixtures.ts';

const PREFIX = 'Holdfast-Test-';
const nodes = Array.from({ length: 12 }, (_, index) => ({
  name: `redis-node-${index + 1}`,
  instanceId: `i-${index + 1}`,
  addresses: [`10.0.0.${index + 1}`],
}));
const shards = [1, 2, 3, 4].map((number) => ({
  name: `shard-${number}`,
  master: `redis-node-${3 * number}`,
  replicas: [`redis-node-${3 * number - 2}`, `redis-node-${3 * number - 1}`],
  healthy: true,
  problems: [] as string[],
}));
const topology = { shards, advertisedAddresses: {}, problems: [] as string[] };
const reading = (guardrail: string, change: Partial<Reading> = {}): Reading => ({
  guardrail,
  value: 0.1,
  limit: 200,
  breachWhen: 'above',
  unit: '%',
  ageSeconds: 0.5,
  maxAgeSeconds: 3,
  breached: false,
  ...change,
});
const readings = ['errorRatePct', 'p99WriteLatencyMs', 'freeWorkersPct'].map((name) => reading(name));

function ports(changes: Partial<AdmissionPorts> = {}): AdmissionPorts {
  return {
    killSwitchEngaged: async () => false,
    lockHolder: async () => undefined,
    listLiveNodes: async () => nodes,
    readTopology: async () => topology,
    readGuardrails: async () => readings,
    readTrafficShare: async () => 0.003,
    exemptAddresses: async () => ['10.0.1.1'],
    readAlarmStates: async (names) => new Map(names.map((name) => [name, 'OK'])),
    ...changes,
  };
}

async function refusalOf(changes: Partial<AdmissionPorts>, cluster = {}, experiment: Experiment = seedExperiment()) {
  const admission = await admit(experiment, configuration(cluster), ports(changes), fakeClock(), PREFIX);
  return admission.admitted ? 'admitted' : admission.problem.type.replace('urn:holdfast:problem:', '');
}

describe('admission', () => {
  it("admits the mission's example and gives the facts behind it", async () => {
    const admission = await admit(seedExperiment(), configuration(), ports(), fakeClock(), PREFIX);
    if (!admission.admitted) throw new Error(JSON.stringify(admission.problem));
    const [facts] = admission.facts.clusters;
    expect(facts).toMatchObject({ liveNodes: 12, impactedNodes: 1, impactedShards: ['shard-1'], maxNodesPct: 10 });
    expect(facts?.trafficSharePct).toBeCloseTo(0.3);
    expect(facts?.worstCase).toMatchObject({ abortSeconds: 8.7, leaseLossSeconds: 3.5, ttlSeconds: 60 });
    expect(facts?.worstCase.abortTerms.reduce((sum, { seconds }) => sum + seconds, 0)).toBeCloseTo(8.7);
    expect(admission.facts.targets[0]?.impacted).toEqual([{ ...nodes[2], shard: 'shard-1', role: 'master' }]);
    expect(admission.facts.targets[0]?.peers.map(({ name }) => name)).toEqual(['redis-node-1', 'redis-node-2']);
  });

  it('shows what would run on each node and its undo', async () => {
    const admission = await admit(seedExperiment(), configuration(), ports(), fakeClock(), PREFIX);
    if (!admission.admitted) throw new Error(JSON.stringify(admission.problem));
    expect(admission.wouldRun).toEqual([
      {
        faultId: 'exp_chaos_redis_019.1',
        node: 'redis-node-3',
        instanceId: 'i-3',
        document: 'Holdfast-Test-network-partition',
        parameters: expect.objectContaining({
          peerAddresses: '10.0.0.1,10.0.0.2',
          exemptAddresses: '10.0.1.1',
          packetLossPct: '100',
          fenceMasterName: 'shard-1',
        }),
        undo: [expect.stringContaining('redis-node-1, redis-node-2 pass again'), expect.any(String)],
      },
    ]);
  });

  it('refuses to start when a fault would cut telemetry', async () => {
    expect(await refusalOf({ exemptAddresses: async () => ['10.0.0.1'] })).toBe('control-plane-unknown');
  });

  it('refuses in the documented order', () => {
    expect(CHECKS.map(({ name }) => name)).toEqual([
      'kill switch',
      'cluster',
      'window',
      'lock',
      'nodes',
      'share of nodes',
      'replication',
      'share of traffic',
      'alarms',
      'guardrails',
      'store health',
      'targets',
    ]);
  });

  it.each(Object.keys(ports()) as (keyof AdmissionPorts)[])(
    'refuses to start when %s cannot be answered',
    async (port) => {
      const failing = {
        [port]: async () => {
          throw new Error('timed out');
        },
      };
      const expected = ['readGuardrails', 'readTrafficShare'].includes(port)
        ? 'telemetry-unavailable'
        : 'control-plane-unknown';
      expect(await refusalOf(failing)).toBe(expected);
    },
  );

  it('refuses to start when the kill switch is engaged', async () => {
    expect(await refusalOf({ killSwitchEngaged: async () => true })).toBe('kill-switch-engaged');
  });

  it('refuses to start when another experiment holds the cluster, and names it', async () => {
    const admission = await admit(
      seedExperiment(),
      configuration(),
      ports({ lockHolder: async () => 'exp_other' }),
      fakeClock(),
      PREFIX,
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
    const window = { daysOfWeek: ['FRI'], startHourUtc: 13, endHourUtc: 14 };
    expect(await refusalOf({}, { window })).toBe('admitted');
    expect(await refusalOf({}, { window: { ...window, startHourUtc: 12, endHourUtc: 13 } })).toBe('outside-window');
    expect(await refusalOf({}, { window: { ...window, daysOfWeek: ['SAT'] } })).toBe('outside-window');
  });

  it('refuses when a named node does not run, even if it is only a peer', async () => {
    expect(await refusalOf({ listLiveNodes: async () => nodes.slice(1) })).toBe('unknown-node');
  });

  it('refuses a node that the store does not know', async () => {
    expect(await refusalOf({ readTopology: async () => ({ ...topology, shards: shards.slice(1) }) })).toBe(
      'unknown-node',
    );
  });

  it('tells a cluster that is too small so, with the number of nodes that are needed', async () => {
    const small = ports({ listLiveNodes: async () => nodes.slice(0, 9) });
    const admission = await admit(seedExperiment(), configuration(), small, fakeClock(), PREFIX);
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
    const states = new Map([['orders-5xx', 'OK'], ...(state ? [['orders-slow', state] as const] : [])] as [
      string,
      string,
    ][]);
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
    const ill = shards.map((shard, index) =>
      index === 3 ? { ...shard, healthy: false, problems: ['link down'] } : shard,
    );
    expect(await refusalOf({ readTopology: async () => ({ ...topology, shards: ill }) })).toBe('steady-state-not-met');
  });
});
