import { describe, expect, it } from 'vitest';
import { topologyProblems } from '../../../../functions/domain/topology.ts';
import { resolveNames } from '../../../../functions/engines/redis/announced-names.ts';
import { mergeTopology } from '../../../../functions/engines/redis/topology.ts';
import { ip, nodes, shard } from '../../domain/target-fixtures.ts';

const ADDRESSES: Record<string, string[]> = Object.fromEntries(
  [1, 2, 3].map((number) => [`host-${number}.example`, ['192.0.2.1', ip(number)]]),
);
const nameOf = (address: string) =>
  Object.keys(ADDRESSES).find((name) => ADDRESSES[name]?.includes(address)) ?? address;
const announced = () => {
  const { sentinels, redises } = shard();
  const named = <P extends { ip: string }>(peer: P) => ({ ...peer, ip: nameOf(peer.ip) });
  return {
    sentinels: sentinels.map((view) => ({
      ...view,
      masters: view.masters.map((master) => ({
        ...named(master),
        ...{ replicas: master.replicas.map(named), sentinels: master.sentinels.map(named) },
      })),
    })),
    redises: redises.map((view) =>
      'masterHost' in view ? { ...view, masterHost: nameOf(view.masterHost ?? '') } : view,
    ),
  };
};
const resolve = async (name: string) => ADDRESSES[name] ?? [];

describe('Sentinels that announce names', () => {
  it('make the same topology as Sentinels that announce addresses', async () => {
    const { sentinels, redises } = announced();
    expect(JSON.stringify(sentinels)).not.toContain(ip(1));
    const merged = mergeTopology(nodes, ...(await resolveNames(nodes, sentinels, redises, resolve)));
    expect(merged).toEqual(mergeTopology(nodes, shard().sentinels, shard().redises));
    expect(merged.advertisedAddresses['redis-node-1']).toBe(ip(1));
  });

  it('are not guessed at: a name that resolves to nobody of the cluster is no live node', async () => {
    const { sentinels, redises } = announced();
    for (const found of [[], ['192.0.2.7']]) {
      const views = await resolveNames(nodes, sentinels, redises, async () => found);
      expect(topologyProblems(mergeTopology(nodes, ...views)).join()).toMatch(/host-3.example:6379 is not a live node/);
    }
  });

  it('ask for no address of what is one already', async () => {
    const { sentinels, redises } = shard();
    const views = await resolveNames(nodes, sentinels, redises, async (name) => {
      throw new Error(`asked for ${name}`);
    });
    expect(views).toEqual([sentinels, redises]);
  });
});
