import type { ProbedShard } from '../domain/probed-shards.ts';
import type { LiveNode } from '../domain/targets.ts';
import type { StoreTopology } from '../domain/topology.ts';
import { probeOf, storeOf } from '../engines/clients.ts';
import type { Configuration, EngineCluster } from '../engines/configuration.ts';
import type { Store, StoreProbe } from '../engines/engine.ts';
import { ec2Client, secretsManagerClient } from './clients.ts';
import { readAccess } from './credentials.ts';
import { listLiveNodes } from './live-nodes.ts';

/** A cluster's store, with its credentials: they go to nobody whom `listLiveNodes` did not accept. */
export async function openStore(cluster: EngineCluster): Promise<Store> {
  return storeOf(cluster, await readAccess(secretsManagerClient(), cluster));
}

/** A client of one of its shards, with the same credentials. */
export async function openProbe(cluster: EngineCluster, probed: ProbedShard): Promise<StoreProbe> {
  return probeOf(cluster, await readAccess(secretsManagerClient(), cluster), probed);
}

/** Who is live, and what the store says of them. */
export async function observeCluster(
  cluster: EngineCluster,
  configuration: Configuration,
): Promise<{ nodes: LiveNode[]; topology: StoreTopology }> {
  const [nodes, store] = await Promise.all([listLiveNodes(ec2Client(), cluster, configuration), openStore(cluster)]);
  return { nodes, topology: await store.readTopology(nodes) };
}
