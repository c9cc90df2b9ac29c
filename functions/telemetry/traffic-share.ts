import { trafficShareQueryOf, type Watched } from '../domain/guardrail-queries.ts';
import type { Telemetry } from './prometheus.ts';

/**
 * Share of the cluster's traffic, 0 to 1, that these shards serve. Each is asked for by itself: in a sum over all of
 * them one without a series would count as one without traffic.
 * @throws Error when the share of any cannot be read: an unknown share is not a small one.
 */
export async function readTrafficShare(
  telemetry: Pick<Telemetry, 'instant'>,
  cluster: Pick<Watched, 'telemetry'>,
  shards: readonly string[],
): Promise<number> {
  const shares = await Promise.all(shards.map((shard) => shareOf(telemetry, cluster, shard)));
  // Of all shards, asked for one after the other, a little more than the whole.
  return Math.min(
    1,
    shares.reduce((sum, share) => sum + share, 0),
  );
}

async function shareOf(
  telemetry: Pick<Telemetry, 'instant'>,
  cluster: Pick<Watched, 'telemetry'>,
  shard: string,
): Promise<number> {
  // These characters mean nothing in any string of PromQL.
  if (!/^[A-Za-z0-9._-]+$/.test(shard))
    throw new Error(`shard ${shard}: letters, digits, dot, dash and underscore only`);
  const share = await telemetry.instant(trafficShareQueryOf(cluster, shard)).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`share of traffic of ${shard}: ${why}`, { cause: error });
  });
  if (!(share >= 0 && share <= 1)) {
    throw new Error(`share of traffic of ${shard}: the query gives ${share}, it must give a share from 0 to 1`);
  }
  return share;
}
