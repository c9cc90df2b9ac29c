import { describe, expect, it } from 'vitest';
import type { Fault } from '../../../functions/domain/experiment.ts';
import { FAULT_KINDS, type FaultKind, HOST_FAULT_KINDS, kindOf } from '../../../functions/domain/faults/catalogue.ts';
import { FENCE_UNDO } from '../../../functions/domain/faults/kind.ts';
import { fisFaults } from '../../../functions/domain/fis-fault.ts';
import { parseExperiment } from '../../../functions/domain/parse-experiment.ts';
import type { TargetNode } from '../../../functions/domain/targets.ts';
import { UNUSED_ENGINE_PARAMETERS } from '../../../functions/engines/registry.ts';
import { nodeCommands } from '../../../functions/inject/node-command.ts';
import { configuration } from '../domain/configuration-fixtures.ts';
import { namedFault, seedPayload } from '../domain/experiment-fixtures.ts';
import { roleIn, targetNode } from '../domain/target-fixtures.ts';
import { kafkaCluster } from '../engines/kafka/fixtures.ts';

const node = (number: number, change: Partial<TargetNode> = {}): TargetNode =>
  targetNode(number, {
    addresses: [`10.77.0.${number}`, `fd00::${number}`],
    ...{ availabilityZone: 'eu-west-1a', subnetId: 'subnet-a', dataVolumeIds: [`vol-${number}`] },
    ...change,
  });
const [first, second, third] = [node(1), node(2), node(3, { roles: [roleIn('shard-1', 'master')] })];
const members = [first, second, third];

/** One fault of every kind on node 3, its example as parameters. */
const faults: Fault[] = FAULT_KINDS.map((kind, index) => {
  const body = { ...seedPayload(), action: kind, parameters: kindOf(kind).example };
  const parsed = parseExperiment(JSON.stringify(body), {});
  const [fault] = parsed.ok ? parsed.experiment.faults : [];
  if (!fault) throw new Error(`${kind}: its example is refused`);
  return { ...namedFault(fault), faultId: `exp.${index + 1}` };
});
const faultOf = (kind: FaultKind): Fault => {
  const fault = faults.find((candidate) => candidate.kind === kind);
  if (!fault) throw new Error(kind);
  return fault;
};
const base = configuration(
  { hostCredentialsFile: '/etc/holdfast/store.json' },
  { other: { port: 7000, disposable: true } },
);
const context = {
  experiment: { experimentId: 'exp' },
  targets: {
    faults: faults.map(({ faultId }) => ({
      faultId,
      impacted: [third],
      peers: [first, second],
      shardMembers: members,
    })),
    exemptAddresses: { 'redis-master': ['10.0.9.9'], other: ['10.0.8.8'] },
  },
  clusters: base.clusters,
  leaseGraceSeconds: 3,
};

const command = (kind: FaultKind, change: Partial<Fault> = {}, ttlSeconds = 60) => {
  const [found] = nodeCommands(context, [{ ...faultOf(kind), ...change }], ttlSeconds);
  if (!found) throw new Error(`${kind}: no command`);
  return found;
};

describe('the commands of a host', () => {
  it('speak of a fence, in words and parameters, exactly where the kind and the engine have one', () => {
    const clusters = { 'redis-master': kafkaCluster({ dataDirectory: '/var/lib/kafka', disposable: true }) };
    for (const kind of HOST_FAULT_KINDS) {
      const [unfenced] = nodeCommands({ ...context, clusters }, [faultOf(kind)], 60);
      expect(unfenced?.undo.join(), kind).not.toContain('fence');
      expect(unfenced?.parameters, kind).toMatchObject(UNUSED_ENGINE_PARAMETERS);
      const { undo, parameters } = command(kind);
      expect(undo.includes(FENCE_UNDO), kind).toBe(parameters.fence === 'redis');
    }
  });

  it('are made for the faults that a host applies, and for no fault of the service', () => {
    expect(nodeCommands(context, faults, 60).map(({ kind }) => kind)).toEqual(HOST_FAULT_KINDS);
    expect(fisFaults(context, faults, 60).map(({ kind }) => kind)).toEqual(
      FAULT_KINDS.filter((kind) => kindOf(kind).runsOn === 'fis'),
    );
  });

  it('live as long as the experiment still does, whenever they are sent', () => {
    expect(command('CPU_SPIKE', { startSeconds: 20 }, 41).parameters.ttlSeconds).toBe('41');
  });

  it('take store, telemetry and limits from their own cluster', () => {
    const fault = { ...faultOf('CLOCK_DRIFT'), cluster: 'other' };
    const resolved = { faultId: fault.faultId, impacted: [node(3, { port: 7000 })], peers: [], shardMembers: [] };
    const [{ parameters } = { parameters: {} }] = nodeCommands(
      { ...context, targets: { ...context.targets, faults: [resolved] } },
      [fault],
      60,
    );
    expect(parameters).toMatchObject({
      storePorts: '7000,26379',
      exemptAddresses: '10.0.8.8',
      disposable: 'yes',
    });
    expect(command('CLOCK_DRIFT').parameters).toMatchObject({ exemptAddresses: '10.0.9.9', disposable: 'no' });
  });

  it('fence the rollback of what can make an ex-master, and ask for no store where nothing can', () => {
    expect(command('NETWORK_PARTITION').parameters).toMatchObject({
      fence: 'redis',
      fenceMasterName: 'shard-1',
      fenceSentinels: '10.77.0.1:26379,10.77.0.2:26379,10.77.0.3:26379',
      fenceCredentialsFile: '/etc/holdfast/store.json',
    });
    const fenced = HOST_FAULT_KINDS.filter((kind) => command(kind).parameters.fence === 'redis');
    expect(fenced).toEqual(['NETWORK_PARTITION', 'NETWORK_LATENCY', 'NETWORK_LOSS', 'PROCESS_KILL', 'PROCESS_PAUSE']);
    expect(command('DISK_FULL').parameters).toMatchObject({
      fence: 'none',
      fenceMasterName: '',
      fenceSentinels: '',
      fenceCredentialsFile: '',
    });
  });

  it('name every address of every peer, and what takes the fault back', () => {
    expect(command('NETWORK_LATENCY').parameters.peerAddresses).toBe('10.77.0.1,fd00::1,10.77.0.2,fd00::2');
    for (const kind of HOST_FAULT_KINDS) expect(command(kind).undo.length, kind).toBeGreaterThan(0);
  });

  it('write a number that was left out as 0 and a yes or no as such', () => {
    expect(command('DISK_FULL').parameters).toMatchObject({
      dataDirectory: '/var/lib/redis',
      fillPct: '0',
      fillBytes: '1073741824',
      allowRootVolume: 'no',
    });
    expect(command('NETWORK_PARTITION').parameters).toMatchObject({ direction: 'both', ports: '' });
  });

  it('are not made for a guessed host, an unknown cluster, or without knowing what must not be cut', () => {
    const fault = faultOf('NETWORK_PARTITION');
    const without = { ...context, targets: { ...context.targets, faults: [] } };
    expect(() => nodeCommands(without, [fault], 60)).toThrow(/no resolved targets/);
    expect(() => nodeCommands(context, [{ ...fault, cluster: 'toString' }], 60)).toThrow(/not configured/);
    const blind = { ...context, targets: { ...context.targets, exemptAddresses: {} } };
    expect(() => nodeCommands(blind, [fault], 60)).toThrow(/telemetry addresses/);
  });
});

describe('the commands of a host that runs two stores', () => {
  const { clusters } = configuration({
    ...{ port: [6379, 6380], unit: 'redis@{port}.service', dataDirectory: '/data/{port}/redis' },
  });
  const at = (number: number, port: number) => node(number, { name: `redis-node-${number}:${port}`, port });
  const impacted = [at(1, 6379), at(1, 6380), at(2, 6380)];
  const commandsOf = (kind: FaultKind) => {
    const fault = faultOf(kind);
    const resolved = { faultId: fault.faultId, impacted, peers: [third], shardMembers: impacted };
    const targets = { faults: [resolved], exemptAddresses: { 'redis-master': [] } };
    return nodeCommands({ ...context, clusters, targets }, [fault], 60);
  };
  const processes = HOST_FAULT_KINDS.filter((kind) => kindOf(kind).resource === 'process');
  const wholeHosts = HOST_FAULT_KINDS.filter((kind) => kindOf(kind).resource !== 'process');

  it.each(processes)('are one for each node of %s, with the port of the node in its unit and its directory', (kind) => {
    const told = commandsOf(kind).map(({ node: name, instanceId, parameters: { unit, storePorts } }) => [
      ...[name, instanceId, unit, storePorts],
    ]);
    expect(told).toEqual([
      ['redis-node-1:6379', 'i-1', 'redis@6379.service', '6379,6380,26379'],
      ['redis-node-1:6380', 'i-1', 'redis@6380.service', '6380,6379,26379'],
      ['redis-node-2:6380', 'i-2', 'redis@6380.service', '6380,6379,26379'],
    ]);
  });

  it.each(wholeHosts)('are one for each host of %s, however many of its nodes are hit', (kind) => {
    const told = commandsOf(kind).map(({ instanceId, parameters: { storePorts = '' } }) => [
      instanceId,
      storePorts.split(',').toSorted(),
    ]);
    expect(told).toEqual([
      ['i-1', ['26379', '6379', '6380']],
      ['i-2', ['26379', '6379', '6380']],
    ]);
  });

  it('leave no port open in what is sent', () => {
    for (const kind of HOST_FAULT_KINDS) {
      for (const { node: name, parameters } of commandsOf(kind)) {
        expect(JSON.stringify(parameters), `${kind} ${name}`).not.toContain('{port}');
        const port = name.split(':')[1];
        if (parameters.dataDirectory) expect(parameters.dataDirectory).toBe(`/data/${port}/redis`);
        expect(parameters.storePorts?.split(',')[0]).toBe(port);
      }
    }
    expect(commandsOf('DISK_FULL')[0]?.parameters.dataDirectory).toBe('/data/6380/redis');
  });
});

describe('the faults of the service', () => {
  const actionFor = (kind: FaultKind, remainingSeconds: number, impacted: TargetNode[] = [third]) => {
    const fault = faultOf(kind);
    const targets = {
      ...context.targets,
      faults: [{ faultId: fault.faultId, impacted, peers: [], shardMembers: [] }],
    };
    return fisFaults({ targets }, [fault], remainingSeconds)[0]?.action;
  };

  it('start a stopped instance again by the service alone, at a whole minute, never before the end', () => {
    for (const [remaining, minutes] of [
      [1, 1],
      [60, 1],
      [61, 2],
      [600, 10],
    ] as const) {
      expect(actionFor('INSTANCE_STOP', remaining)).toMatchObject({
        actionId: 'aws:ec2:stop-instances',
        parameters: { startInstancesAfterDuration: `PT${minutes}M` },
        target: { name: 'Instances', resources: [{ kind: 'instance', id: 'i-3' }] },
        boundSeconds: minutes * 60,
      });
    }
  });

  it('end a fault on volumes and subnets by the service alone', () => {
    expect(actionFor('VOLUME_PAUSE_IO', 45)).toMatchObject({
      actionId: 'aws:ebs:pause-volume-io',
      parameters: { duration: 'PT45S' },
      target: { name: 'Volumes', resources: [{ kind: 'volume', id: 'vol-3' }] },
      boundSeconds: 45,
    });
    expect(actionFor('VOLUME_LATENCY', 45)).toMatchObject({
      actionId: 'aws:ebs:volume-io-latency',
      parameters: {
        readIOPercentage: '50',
        readIOLatencyMilliseconds: '200',
        writeIOPercentage: '100',
        writeIOLatencyMilliseconds: '200',
        duration: 'PT45S',
      },
    });
    expect(actionFor('AZ_DISCONNECT', 45, members)).toMatchObject({
      actionId: 'aws:network:disrupt-connectivity',
      parameters: { scope: 'availability-zone', duration: 'PT1M' },
      target: { name: 'Subnets', resources: [{ kind: 'subnet', id: 'subnet-a' }] },
      boundSeconds: 60,
    });
  });

  it('have no bound where nothing lasts', () => {
    expect(actionFor('INSTANCE_REBOOT', 45)).not.toHaveProperty('boundSeconds');
  });

  it('are refused on nodes that cannot have them, before anything is made', () => {
    const bare = node(3, { dataVolumeIds: [] });
    const elsewhere = node(2, { availabilityZone: 'eu-west-1b' });
    expect(() => actionFor('VOLUME_PAUSE_IO', 45, [first, bare])).toThrow(/redis-node-3: no EBS volume/);
    expect(() => actionFor('VOLUME_LATENCY', 45, [first, elsewhere])).toThrow(/several availability zones/);
    expect(() => actionFor('AZ_DISCONNECT', 45, [first, elsewhere])).toThrow(/redis-node-2: not in eu-west-1a/);
  });
});
