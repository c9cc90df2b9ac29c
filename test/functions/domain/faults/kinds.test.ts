import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Experiment } from '../../../../functions/domain/experiment.ts';
import type { FaultParameters } from '../../../../functions/domain/faults/catalogue.ts';
import {
  FAULT_KINDS,
  FIS_FAULT_KINDS,
  FIS_KINDS,
  fisKindOf,
  HOST_KINDS,
  impactedNodesOf,
  kindOf,
  peersOf,
  refusalOf,
} from '../../../../functions/domain/faults/catalogue.ts';
import { MAX_RESOURCES_PER_TARGET, MAX_STOP_CONDITION_ALARMS } from '../../../../functions/domain/faults/kind.ts';
import { parseExperiment } from '../../../../functions/domain/parse-experiment.ts';
import { redisCluster } from '../configuration-fixtures.ts';
import { named, seedPayload } from '../experiment-fixtures.ts';
import { KIND_PARAMETERS } from '../kind-parameters.ts';
import { targetNode } from '../target-fixtures.ts';

const payload = (action: string, parameters: unknown) => JSON.stringify({ ...seedPayload(), action, parameters });

function accepted(action: string, parameters: unknown): Experiment {
  const parsed = parseExperiment(payload(action, parameters), {});
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problem));
  return named(parsed.experiment);
}

function parametersOf(action: string, parameters: unknown): FaultParameters {
  const [fault] = accepted(action, parameters).faults;
  if (!fault) throw new Error('no fault');
  return fault.parameters;
}

function errorsOf(action: string, parameters: unknown) {
  const parsed = parseExperiment(payload(action, parameters), {});
  return parsed.ok ? [] : (parsed.problem.errors ?? []);
}

const n3 = { targetNodes: ['redis-node-3'] };

describe('the table of kinds', () => {
  it('has each kind under its own name', () => {
    for (const name of FAULT_KINDS) expect(kindOf(name).kind).toBe(name);
    for (const kind of Object.values(HOST_KINDS)) expect(kind.runsOn).toBe('host');
  });

  it.each(FAULT_KINDS)('says of every field of %s what it may hold, and of nothing else', (name) => {
    const { schema, fields, allowed } = kindOf(name);
    const { properties } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
    expect(Object.keys(fields).toSorted()).toEqual(Object.keys(properties ?? {}).toSorted());
    const below = Object.entries(fields).flatMap(([field, { below: inner = {} }]) =>
      Object.keys(inner).map((each) => `${field}.${each}`),
    );
    expect(Object.keys(allowed).toSorted()).toEqual([...Object.keys(fields), ...below].toSorted());
    expect(Object.values(allowed).every((words) => words !== '')).toBe(true);
  });

  it.each(FAULT_KINDS)('has an example of %s that is accepted', (name) => {
    expect(accepted(name, kindOf(name).example).faults[0]).toMatchObject({ kind: name });
  });

  it.each(FAULT_KINDS)('accepts what %s allows, and only that: one unknown or missing field is refused', (name) => {
    fc.assert(
      fc.property(KIND_PARAMETERS[name], (parameters) => {
        const parsed = parametersOf(name, parameters);
        expect(parsed).toMatchObject({ ...parameters, kind: name });
        expect(impactedNodesOf(parsed).length).toBeGreaterThan(0);
        const unknown = errorsOf(name, { ...parameters, targetNode: 'redis-node-3' });
        expect(unknown.map(({ field }) => field)).toEqual(['parameters.targetNode']);
        expect(unknown[0]?.allowed).toBe(`one of ${Object.keys(kindOf(name).fields).join(', ')}`);
      }),
      { numRuns: 30 },
    );
    const missing = errorsOf(name, {});
    expect(missing.length).toBeGreaterThan(0);
    expect(missing.every(({ message, allowed }) => message !== '' && allowed !== 'see the documentation')).toBe(true);
  });

  it.each(FAULT_KINDS)('refuses another type in any field of %s', (name) => {
    const fields = Object.keys(kindOf(name).allowed);
    const wrong = fc.constantFrom<unknown>(
      '',
      '1; reboot',
      '$(id)',
      '1',
      -1.5,
      {},
      [[]],
      null,
      [null],
      1e300,
      [''],
      '\n',
    );
    fc.assert(
      fc.property(KIND_PARAMETERS[name], fc.constantFrom(...fields), wrong, (parameters, field, value) => {
        const named = errorsOf(name, { ...parameters, [field]: value }).map((error) => error.field);
        expect(named.some((path) => path.startsWith(`parameters.${field}`))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

describe('parameters that only make sense together', () => {
  it.each([
    ['NETWORK_LATENCY', { ...n3, latencyMs: 10, jitterMs: 11 }, 'jitterMs'],
    ['NETWORK_LATENCY', { ...n3, latencyMs: 10, toNodes: ['redis-node-3'] }, 'toNodes'],
    [
      'NETWORK_LOSS',
      { ...n3, packetLossPct: 1, toNodes: ['a'], toAvailabilityZone: 'eu-west-1a' },
      'toAvailabilityZone',
    ],
    ['NETWORK_LATENCY', { ...n3, latencyMs: 10, correlationPct: 5 }, 'correlationPct'],
    ['PROCESS_PAUSE', { ...n3, repeatEverySeconds: 20 }, 'repeatEverySeconds'],
    ['PROCESS_PAUSE', { ...n3, pauseSeconds: 20, repeatEverySeconds: 20 }, 'repeatEverySeconds'],
    ['MEMORY_PRESSURE', n3, 'memoryBytes'],
    ['MEMORY_PRESSURE', { ...n3, memoryBytes: 2 ** 30, memoryPct: 5 }, 'memoryBytes'],
    ['MEMORY_PRESSURE', { ...n3, memoryPct: 96 }, 'memoryPct'],
    ['DISK_FULL', { ...n3, fillPct: 5, fillBytes: 2 ** 30 }, 'fillPct'],
    ['CLOCK_DRIFT', { ...n3, offsetMs: 0 }, 'offsetMs'],
    ['CLOCK_DRIFT', { ...n3, offsetMs: -240_001 }, 'offsetMs'],
    ['VOLUME_LATENCY', { ...n3, latencyMs: 5, readPct: 0 }, 'readPct'],
    ['NETWORK_PARTITION', { ...seedPayload().parameters, ports: [80, 80] }, 'ports'],
    ['NETWORK_PARTITION', { ...seedPayload().parameters, ports: [] }, 'ports'],
    ['NETWORK_PARTITION', { ...seedPayload().parameters, ports: [65_536] }, 'ports.0'],
    ['NETWORK_PARTITION', { ...seedPayload().parameters, flap: { onSeconds: 0, offSeconds: 5 } }, 'flap.onSeconds'],
    ['NETWORK_PARTITION', { ...seedPayload().parameters, flap: { onSeconds: 5 } }, 'flap.offSeconds'],
    ['NETWORK_LOSS', { ...n3, packetLossPct: 20, flap: { onSeconds: 1, offSeconds: 601 } }, 'flap.offSeconds'],
    ['NETWORK_LOSS', { ...n3, packetLossPct: 20, flap: 5 }, 'flap'],
  ])('refuses %s with %j and names %s', (action, parameters, field) => {
    expect(errorsOf(action, parameters).map((error) => error.field)).toEqual([`parameters.${field}`]);
  });

  it('refuses a loss that would not come back within its time, and says how long both are', () => {
    const flapping = (onSeconds: number) => ({
      ...{ targetService: 'redis-master', action: 'NETWORK_LOSS' },
      parameters: { ...n3, packetLossPct: 20, flap: { onSeconds, offSeconds: 20 } },
    });
    const { targetService: _, action: __, parameters: ___, ...common } = { ...seedPayload(), durationSeconds: 60 };
    const errorsIn = (body: object) => {
      const parsed = parseExperiment(JSON.stringify({ ...common, ...body }), {});
      return parsed.ok ? [] : parsed.problem.errors;
    };
    expect(errorsIn(flapping(39))).toEqual([]);
    const message = 'comes back after 60 s, but the fault lasts 60 s';
    const allowed = 'less than 60 s in all';
    expect(errorsIn(flapping(40))).toEqual([{ field: 'parameters.flap', message, allowed }]);
    const later = { ...flapping(30), name: 'later', offsetSeconds: 10 };
    const first = { targetService: 'redis-master', action: 'PROCESS_PAUSE', parameters: n3, name: 'first' };
    expect(errorsIn({ faults: [first, later] })).toEqual([
      {
        ...{ field: 'faults.1.parameters.flap', message: 'comes back after 50 s, but the fault lasts 50 s' },
        allowed: 'less than 50 s in all',
      },
    ]);
  });

  it('names them beside every other mistake', () => {
    const parameters = { targetNodes: [], latencyMs: 10, jitterMs: 20, correlationPct: 101, toNodes: ['a b'] };
    const fields = errorsOf('NETWORK_LATENCY', { ...parameters, toAvailabilityZone: 'eu-west-1a' });
    expect(fields.map(({ field }) => field).toSorted()).toEqual([
      'parameters.correlationPct',
      'parameters.jitterMs',
      'parameters.targetNodes',
      'parameters.toAvailabilityZone',
      'parameters.toNodes.0',
    ]);
  });
});

describe('the other side of a network fault', () => {
  it('is the larger group of a partition, the named nodes, a zone, or all other nodes; other kinds have none', () => {
    const partition = { packetLossPct: 100, targetPartitionGroupA: ['a'], targetPartitionGroupB: ['b', 'c'] };
    expect(peersOf(parametersOf('NETWORK_PARTITION', partition))).toEqual({ by: 'names', nodes: ['b', 'c'] });
    expect(impactedNodesOf(parametersOf('NETWORK_PARTITION', partition))).toEqual(['a']);
    const of = (parameters: object) =>
      peersOf(parametersOf('NETWORK_LOSS', { ...n3, packetLossPct: 5, ...parameters }));
    expect(of({ toNodes: ['a'] })).toEqual({ by: 'names', nodes: ['a'] });
    expect(of({ toAvailabilityZone: 'eu-west-1a' })).toEqual({
      by: 'availabilityZone',
      availabilityZone: 'eu-west-1a',
    });
    expect(of({})).toEqual({ by: 'all' });
    expect(peersOf(parametersOf('PROCESS_PAUSE', n3))).toBeUndefined();
  });
});

describe('what a cluster may not have', () => {
  const storePorts = [6379, 26_379];
  const refusal = (action: string, parameters: unknown, change: Record<string, unknown> = {}) =>
    refusalOf(parametersOf(action, parameters), redisCluster(change), storePorts);

  it.each([501, -501, 240_000])('refuses a clock drift of %i ms unless its data are disposable', (offsetMs) => {
    expect(refusal('CLOCK_DRIFT', { ...n3, offsetMs })).toContain('not configured as disposable');
    expect(refusal('CLOCK_DRIFT', { ...n3, offsetMs }, { disposable: true })).toBeUndefined();
  });

  it.each([500, -500, 1])('allows a clock drift of %i ms anywhere', (offsetMs) => {
    expect(refusal('CLOCK_DRIFT', { ...n3, offsetMs })).toBeUndefined();
  });

  it('refuses to keep clients from the store on ports that are not its own', () => {
    const isolate = { ...seedPayload().parameters, ports: [16_379] };
    expect(refusal('NETWORK_PARTITION', isolate)).toContain('whose ports are 6379, 26379');
    expect(refusal('NETWORK_PARTITION', { ...isolate, ports: [16_379, 6379] })).toBeUndefined();
    expect(refusal('NETWORK_PARTITION', { ...isolate, scope: 'peers' })).toBeUndefined();
  });

  it('refuses a correlation of a loss that comes and goes, which nothing could give it', () => {
    const loss = { ...n3, packetLossPct: 20, flap: { onSeconds: 5, offSeconds: 5 } };
    expect(refusal('NETWORK_LOSS', { ...loss, correlationPct: 25 })).toContain('correlationPct 25 beside flap');
    expect(refusal('NETWORK_LOSS', loss)).toBeUndefined();
  });

  it('refuses to disconnect a zone in production', () => {
    const parameters = { ...n3, availabilityZone: 'eu-west-1a' };
    expect(refusal('AZ_DISCONNECT', parameters)).toContain('tier staging');
    expect(refusal('AZ_DISCONNECT', parameters, { tier: 'staging' })).toBeUndefined();
  });

  it('refuses to terminate an instance in production, and where the cluster does not allow it', () => {
    const refused = (cluster: Record<string, unknown>) => refusal('INSTANCE_TERMINATE', n3, cluster);
    expect(refused({ tier: 'staging', instancesMayBeTerminated: true })).toBeUndefined();
    expect(refused({ tier: 'production', instancesMayBeTerminated: true })).toContain('for clusters of tier staging');
    expect(refused({ tier: 'staging', disposable: true })).toContain('not configured with instancesMayBeTerminated');
  });

  it('refuses more targets than FIS takes for one fault, before anything is made', () => {
    const targets = (count: number) => {
      const impacted = Array.from({ length: count }, (_, index) =>
        targetNode(index, {
          subnetId: `subnet-${index}`,
          dataVolumeIds: [`vol-${index}`],
          availabilityZone: 'eu-west-1a',
        }),
      );
      return { faultId: 'exp.1', impacted, peers: [], shardMembers: [] };
    };
    for (const kind of FIS_FAULT_KINDS.map(fisKindOf)) {
      const parameters = kind.schema.parse(kind.example);
      expect(kind.refuseTargets?.(parameters, targets(MAX_RESOURCES_PER_TARGET)), kind.kind).toBeUndefined();
      expect(kind.refuseTargets?.(parameters, targets(MAX_RESOURCES_PER_TARGET + 1)), kind.kind).toMatch(
        /\w+ are more than the \d+ that FIS takes for one fault/,
      );
    }
    // Two stores on one instance are one instance, and one disk.
    const twice = targetNode(1, { dataVolumeIds: ['vol-1'] });
    const shared = { ...targets(0), impacted: [twice, { ...twice, name: 'beside', port: 6380 }] };
    for (const kind of ['INSTANCE_STOP', 'VOLUME_PAUSE_IO'] as const) {
      const { target } = FIS_KINDS[kind].action(n3, shared, 60);
      expect(target.resources).toHaveLength(1);
    }
    // Volumes count, not nodes.
    const dataVolumeIds = Array.from({ length: MAX_RESOURCES_PER_TARGET + 1 }, (_, index) => `vol-${index}`);
    const many = { ...targets(0), impacted: [targetNode(1, { dataVolumeIds })] };
    expect(FIS_KINDS.VOLUME_PAUSE_IO.refuseTargets?.(n3, many)).toContain(`${dataVolumeIds.length} Volumes`);
  });

  it('refuses every fault of the service where an alarm would not fit among its stop conditions', () => {
    const alarms = (count: number) => ({
      ...{ tier: 'staging', instancesMayBeTerminated: true },
      alarms: Array.from({ length: count }, (_, index) => ({ name: `alarm-${index}` })),
    });
    for (const name of FAULT_KINDS) {
      const { example, runsOn } = kindOf(name);
      const refused = (count: number) => refusal(name, example, alarms(count));
      expect(refused(MAX_STOP_CONDITION_ALARMS), name).toBeUndefined();
      const oneMore = refused(MAX_STOP_CONDITION_ALARMS + 1);
      if (runsOn === 'fis') expect(oneMore, name).toContain(`at most ${MAX_STOP_CONDITION_ALARMS} alarms`);
      else expect(oneMore, name).toBeUndefined();
    }
  });

  it('says what no rollback takes back of a drifted clock, and of what happens below the hosts, without a fence', () => {
    const said = FAULT_KINDS.filter((name) => kindOf(name).irreversible);
    expect(said).toEqual([
      'CLOCK_DRIFT',
      'INSTANCE_STOP',
      'INSTANCE_REBOOT',
      'INSTANCE_TERMINATE',
      'VOLUME_PAUSE_IO',
      'AZ_DISCONNECT',
    ]);
  });
});
