import type { ProbeChoices } from '../domain/experiment.ts';
import type { ProbedShard } from '../domain/probed-shards.ts';
import type { LiveNode } from '../domain/targets.ts';
import type { StoreTopology } from '../domain/topology.ts';
import { loadClients, probeOf, storeOf } from '../engines/clients.ts';
import type { Configuration, EngineCluster } from '../engines/configuration.ts';
import type { Store, StoreProbe } from '../engines/engine.ts';
import { ec2Client, secretsManagerClient } from './clients.ts';
import { loadConfiguration } from './configuration.ts';
import { readAccess } from './credentials.ts';
import { listLiveNodes } from './live-nodes.ts';

// Here and not at the first use: while Lambda starts a function it gives it a whole processor, and the guard waits for nothing.
for (const { engine } of Object.values(loadConfiguration().clusters)) await loadClients(engine);

/** A cluster's store, with its credentials: they go to nobody whom `listLiveNodes` did not accept. */
export async function openStore(cluster: EngineCluster): Promise<Store> {
  return storeOf(cluster, await readAccess(secretsManagerClient(), cluster));
}

/** A client of one of its shards, with the same credentials. */
export async function openProbe(
  cluster: EngineCluster,
  probed: ProbedShard,
  choices: ProbeChoices,
): Promise<StoreProbe> {
  return probeOf(cluster, await readAccess(secretsManagerClient(), cluster), probed, choices);
}

/** Who is live, and what the store says of them. */
export async function observeCluster(
  cluster: EngineCluster,
  configuration: Configuration,
): Promise<{ nodes: LiveNode[]; topology: StoreTopology }> {
  const { nodes, readTopology } = await openCluster(cluster, configuration);
  return { nodes, topology: await readTopology() };
}

/**
 * As `observeCluster`, again and again of whoever is live then, by one store: it may keep its clients, and what it saw before.
 */
export function clusterObserver(
  cluster: EngineCluster,
  configuration: Configuration,
): () => Promise<{ nodes: LiveNode[]; topology: StoreTopology }> {
  let opened: Promise<Store> | undefined;
  return async () => {
    opened ??= openStore(cluster);
    const opening = opened;
    // A secret that could not be read is read again.
    opening.catch(() => {
      if (opened === opening) opened = undefined;
    });
    const [nodes, store] = await Promise.all([listLiveNodes(ec2Client(), cluster, configuration), opening]);
    return { nodes, topology: await store.readTopology(nodes) };
  };
}

/** To be asked again and again about the nodes that are live now: one that ends meanwhile is missed, not forgotten. */
export async function openCluster(
  cluster: EngineCluster,
  configuration: Configuration,
): Promise<{ nodes: LiveNode[]; readTopology: () => Promise<StoreTopology> }> {
  const [nodes, store] = await Promise.all([listLiveNodes(ec2Client(), cluster, configuration), openStore(cluster)]);
  return { nodes, readTopology: () => store.readTopology(nodes) };
}
