import { describe, expect, it } from 'vitest';
import type { Fault } from '../../../functions/domain/experiment.ts';
import { FAULT_KINDS, HOST_FAULT_KINDS, kindOf } from '../../../functions/domain/faults/catalogue.ts';
import { fisFaults } from '../../../functions/domain/fis-fault.ts';
import { parseExperiment } from '../../../functions/domain/parse-experiment.ts';
import type { TargetNode } from '../../../functions/domain/workflow.ts';
import { nodeCommands } from '../../../functions/inject/node-command.ts';
import { configuration, seedPayload } from '../domain/fixtures.ts';

const node = (name: string, change: Partial<TargetNode> = {}): TargetNode => ({
  name,
  instanceId: `i-${name.at(-1)}`,
  addresses: [`10.77.0.${name.at(-1)}`, `fd00::${name.at(-1)}`],
  shard: 'shard-1',
  role: 'replica',
  availabilityZone: 'eu-west-1a',
  subnetId: 'subnet-a',
  dataVolumeIds: [`vol-${name.at(-1)}`],
  ...change,
});
const members = [node('redis-node-1'), node('redis-node-2'), node('redis-node-3', { role: 'master' })];
const [first = node('?'), second = node('?'), third = node('?')] = members;

/** One fault of every kind on node 3, its example as parameters. */
const faults: Fault[] = FAULT_KINDS.map((kind, index) => {
  const body = { ...seedPayload(), action: kind, parameters: kindOf(kind).example };
  const parsed = parseExperiment(JSON.stringify(body), {});
  const [fault] = parsed.ok ? parsed.experiment.faults : [];
  if (!fault) throw new Error(`${kind}: its example is refused`);
  return { ...fault, faultId: `exp.${index + 1}` };
});
const faultOf = (kind: string): Fault => {
  const fault = faults.find((candidate) => candidate.kind === kind);
  if (!fault) throw new Error(kind);
  return fault;
};
const base = configuration({ hostCredentialsFile: '/etc/holdfast/store.json' });
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
  clusters: { ...base.clusters, ...configurationOf('other', { port: 7000, disposable: true }) },
  leaseGraceSeconds: 3,
};

function configurationOf(name: string, change: Record<string, unknown>) {
  const cluster = configuration(change).clusters['redis-master'];
  return cluster ? { [name]: cluster } : {};
}
const command = (kind: string, change: Partial<Fault> = {}, ttlSeconds = 60) => {
  const [found] = nodeCommands(context, [{ ...faultOf(kind), ...change }], ttlSeconds);
  if (!found) throw new Error(`${kind}: no command`);
  return found;
};

describe('the commands of a host', () => {
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
    const { parameters } = command('CLOCK_DRIFT', { cluster: 'other' });
    expect(parameters).toMatchObject({
      storePorts: '7000,26379',
      exemptAddresses: '10.0.8.8',
      disposable: 'yes',
    });
    expect(command('CLOCK_DRIFT').parameters).toMatchObject({ exemptAddresses: '10.0.9.9', disposable: 'no' });
  });

  it('fence the way back of what can make an ex-master, and ask for no store where nothing can', () => {
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

describe('the faults of the service', () => {
  const actionFor = (kind: string, remainingSeconds: number, impacted: TargetNode[] = [third]) => {
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
    const bare = node('redis-node-3', { dataVolumeIds: [] });
    const elsewhere = node('redis-node-2', { availabilityZone: 'eu-west-1b' });
    expect(() => actionFor('VOLUME_PAUSE_IO', 45, [first, bare])).toThrow(/redis-node-3: no EBS volume/);
    expect(() => actionFor('VOLUME_LATENCY', 45, [first, elsewhere])).toThrow(/several availability zones/);
    expect(() => actionFor('AZ_DISCONNECT', 45, [first, elsewhere])).toThrow(/redis-node-2: not in eu-west-1a/);
  });
});
