import { trafficShareQueryOf, trafficUnitOf, type Watched } from '../domain/guardrail-queries.ts';
import type { Telemetry } from './prometheus.ts';

/**
 * Share of the cluster's traffic, 0 to 1, that these shards, or these nodes, serve: the cluster's query says which of them it
 * is about. Each is asked for by itself: in a sum over all of them one without a series would count as one without traffic.
 * @throws Error when the share of any cannot be read: an unknown share is not a small one.
 */
export async function readTrafficShare(
  telemetry: Pick<Telemetry, 'instant'>,
  cluster: Pick<Watched, 'telemetry'>,
  hit: { shards: readonly string[]; nodes: readonly string[] },
): Promise<number> {
  const unit = trafficUnitOf(cluster);
  const names = unit === 'node' ? hit.nodes : hit.shards;
  const shares = await Promise.all(names.map((name) => shareOf(telemetry, cluster, unit, name)));
  // Of all of them, asked for one after the other, a little more than the whole.
  return Math.min(
    1,
    shares.reduce((sum, share) => sum + share, 0),
  );
}

async function shareOf(
  telemetry: Pick<Telemetry, 'instant'>,
  cluster: Pick<Watched, 'telemetry'>,
  unit: 'node' | 'shard',
  name: string,
): Promise<number> {
  // These characters mean nothing in any string of PromQL; a node may have its port behind its name.
  if (!/^[A-Za-z0-9._:-]+$/.test(name))
    throw new Error(`${unit} ${name}: letters, digits, dot, dash, colon and underscore only`);
  const share = await telemetry.instant(trafficShareQueryOf(cluster, name)).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`share of traffic of ${name}: ${why}`, { cause: error });
  });
  if (!(share >= 0 && share <= 1)) {
    throw new Error(`share of traffic of ${name}: the query gives ${share}, it must give a share from 0 to 1`);
  }
  return share;
}
