import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redisEngine } from '../../../../functions/engines/redis/engine.ts';
import { redisCluster } from '../../domain/configuration-fixtures.ts';
import { roleIn, shardOf, targetNode, topologyOf } from '../../domain/target-fixtures.ts';

/** Without TLS. */
const PLAIN = { tier: 'staging', tls: undefined };
const engineWith = (change: Record<string, unknown> = {}) => redisEngine(redisCluster(change));
const refusal = (lost: readonly string[], shards: ReturnType<typeof shardOf>[], minReplicasToWrite = 1) =>
  engineWith({ redis: { minReplicasToWrite } }).refuseLoss(topologyOf(shards), lost);

describe('what replication survives', () => {
  it('leaves every touched shard a majority and the replicas its master needs', () => {
    const members = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(members, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 3 }), (size, hit, minReplicas) => {
        const nodes = Array.from({ length: size }, (_, index) => `n${index}`);
        const impacted = nodes.slice(0, hit);
        const remaining = size - impacted.length;
        const survives = remaining > size / 2 && remaining - 1 >= minReplicas;
        expect(refusal(impacted, [shardOf('s', ...nodes)], minReplicas) === undefined).toBe(survives);
      }),
    );
  });

  it('does not depend on who of them is the master, nor on a role that nobody knows', () => {
    const shard = shardOf('s', 'a', 'b', 'c');
    const unsure = { ...shard, members: shard.members.map(({ node }) => ({ node })) };
    for (const lost of ['a', 'b', 'c']) {
      expect(refusal([lost], [shard])).toBeUndefined();
      expect(refusal([lost], [unsure])).toBeUndefined();
      expect(refusal([lost, 'x'], [shard], 2)).toBeDefined();
    }
  });

  it('does not judge a shard that is not touched', () => {
    const lone = shardOf('lone', 'n0');
    expect(refusal(['other'], [lone])).toBeUndefined();
    expect(refusal(['a'], [lone, shardOf('s', 'a', 'b', 'c')])).toBeUndefined();
  });

  it('is refused with the shard and the numbers behind it', () => {
    const shards = [shardOf('well', 'x', 'y', 'z'), shardOf('s', 'a', 'b', 'c')];
    expect(refusal(['a', 'b'], shards)).toEqual({
      detail: 's would keep 1 of 3 nodes: not a majority',
      numbers: { shard: 's', shardNodes: 3, remainingNodes: 1, minReplicasToWrite: 1 },
    });
    expect(refusal(['a'], shards, 2)).toEqual({
      detail: 's would keep 1 replicas: its master needs 2 to accept writes',
      numbers: { shard: 's', shardNodes: 3, remainingNodes: 2, minReplicasToWrite: 2 },
    });
  });
});

describe('the ports of the hosts', () => {
  it('are those of every store of an instance, and the one of its Sentinel', () => {
    expect(engineWith().ports).toEqual([6379, 26_379]);
    const several = { port: [7000, 7001], unit: 'redis@{port}', redis: { sentinelPort: 27_000 } };
    expect(engineWith(several).ports).toEqual([7000, 7001, 27_000]);
  });
});

describe('the fence of a node', () => {
  const members = [targetNode(1), targetNode(2), targetNode(3, { roles: [roleIn('shard-1', 'master')] })];
  const [first = targetNode(1)] = members;

  it('is told the shard of the node and every Sentinel of that shard, by the address its store advertises', () => {
    const engine = engineWith({
      ...PLAIN,
      hostCredentialsFile: '/etc/holdfast/store.json',
      redis: { sentinelPort: 27_000 },
    });
    expect(engine.fenceParameters(first, members)).toEqual({
      fence: 'redis',
      fenceMasterName: 'shard-1',
      fenceSentinels: '10.77.0.11:27000,10.77.0.12:27000,10.77.0.13:27000',
      fenceCredentialsFile: '/etc/holdfast/store.json',
      ...{ fenceServerNames: '', fenceCaFile: '', fenceCertificateFile: '', fenceKeyFile: '' },
    });
  });

  it('is told whose certificates to expect, the node first, and with which files of the host', () => {
    const clientCertificate = {
      secretName: 's',
      hostCertificateFile: '/tls/client.crt',
      hostKeyFile: '/tls/client.key',
    };
    const tls = { serverName: '{node}.redis.example', hostCaFile: '/tls/ca.crt', clientCertificate };
    const beside = targetNode(1, { name: 'redis-node-1:6380', port: 6380 });
    expect(engineWith({ tls }).fenceParameters(beside, [first, beside, ...members.slice(1)])).toMatchObject({
      fenceSentinels: '10.77.0.11:26379,10.77.0.12:26379,10.77.0.13:26379',
      fenceServerNames: [1, 1, 2, 3].map((number) => `redis-node-${number}.redis.example`).join(),
      ...{ fenceCaFile: '/tls/ca.crt', fenceCertificateFile: '/tls/client.crt', fenceKeyFile: '/tls/client.key' },
    });
    expect(engineWith({ tls: { serverName: 'redis.example' } }).fenceParameters(first, members)).toMatchObject({
      fenceServerNames: 'redis.example,redis.example,redis.example,redis.example',
      ...{ fenceCaFile: '', fenceCertificateFile: '', fenceKeyFile: '' },
    });
  });

  it('is not made for an instance whose name makes no host name: no certificate could be for it', () => {
    const odd = targetNode(2, { name: 'redis node 2' });
    expect(() => engineWith().fenceParameters(first, [...members, odd])).toThrow(
      /node redis node 2: tls.serverName is "redis node 2.redis.example"/,
    );
  });

  it('asks a replica for the same as its master: by the time of the rollback either may lead', () => {
    const [ofMaster, ofReplica] = members.slice(1).map((node) => engineWith(PLAIN).fenceParameters(node, members));
    expect(ofMaster).toEqual(ofReplica);
  });

  it('asks no Sentinel of another shard', () => {
    const stranger = targetNode(9, { roles: [roleIn('shard-2')] });
    expect(engineWith().fenceParameters(first, [...members, stranger]).fenceSentinels).not.toContain('10.77.0.19');
  });

  it('writes an address of version 6 in brackets, because a port follows', () => {
    const six = members.map((node, index) => ({ ...node, addresses: [`fd00::${index + 1}`, ...node.addresses] }));
    expect(engineWith().fenceParameters(first, six).fenceSentinels).toBe(
      '[fd00::1]:26379,[fd00::2]:26379,[fd00::3]:26379',
    );
  });

  it('asks the one Sentinel of a host once, however many nodes of the shard share it', () => {
    const beside = targetNode(1, { name: 'redis-node-1:6380', port: 6380 });
    expect(engineWith().fenceParameters(first, [first, beside, targetNode(2)]).fenceSentinels).toBe(
      '10.77.0.11:26379,10.77.0.12:26379',
    );
  });

  it('is not made for a node without an address: it could ask nobody', () => {
    expect(() => engineWith().fenceParameters(first, [targetNode(2, { addresses: [] })])).toThrow(
      /redis-node-2: has no address/,
    );
  });
});
