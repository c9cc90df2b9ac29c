import { isIP } from 'node:net';
import type { LiveNode } from '../../domain/targets.ts';
import { addressesOfName } from '../../runtime/addresses-of-name.ts';
import type { RedisView, SentinelPeer, SentinelView } from './topology.ts';

/** Sentinel may announce names of hosts (`announce-hostnames`); only an address says which node is meant. */
type Resolve = typeof addressesOfName;

/**
 * The views with an address of a live node in the place of every name that stands for one. What cannot be resolved, or
 * belongs to no live node, stays as it is and is nobody's.
 */
export async function resolveNames(
  nodes: readonly LiveNode[],
  sentinels: readonly SentinelView[],
  redises: readonly RedisView[],
  resolve: Resolve = addressesOfName,
): Promise<[SentinelView[], RedisView[]]> {
  const known = new Set(nodes.flatMap(({ addresses }) => addresses));
  const masters = sentinels.flatMap((view) => ('masters' in view ? view.masters : []));
  const named = [
    ...masters.flatMap((master) => [master, ...master.replicas, ...master.sentinels]).map(({ ip }) => ip),
    ...redises.flatMap((view) => ('masterHost' in view && view.masterHost !== undefined ? [view.masterHost] : [])),
  ];
  const names = [...new Set(named)].filter((name) => name !== '' && !isIP(name));
  const found = await Promise.all(
    names.map(async (name) => [name, (await resolve(name)).find((address) => known.has(address))] as const),
  );
  const addresses = new Map(found);
  const addressOf = (name: string) => addresses.get(name) ?? name;
  const resolved = <P extends SentinelPeer>(peer: P): P => ({ ...peer, ip: addressOf(peer.ip) });
  return [
    sentinels.map((view) =>
      'masters' in view
        ? {
            ...view,
            masters: view.masters.map((master) => ({
              ...resolved(master),
              replicas: master.replicas.map(resolved),
              sentinels: master.sentinels.map(resolved),
            })),
          }
        : view,
    ),
    redises.map((view) =>
      'masterHost' in view && view.masterHost !== undefined
        ? { ...view, masterHost: addressOf(view.masterHost) }
        : view,
    ),
  ];
}
