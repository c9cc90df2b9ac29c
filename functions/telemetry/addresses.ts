import { lookup } from 'node:dns/promises';
import type { Clusters } from '../domain/clusters.ts';
import type { Cluster } from '../domain/configuration.ts';

/**
 * Addresses of all telemetry of a deployment, from where this runs: a fault on one cluster must not blind the guard of
 * another. Telemetry of another cluster that has no address watches nothing that could be blinded.
 * @throws Error when that of the cluster itself has none: it cannot be exempted
 */
export async function telemetryAddresses<C extends Cluster>(
  { telemetry }: Pick<Cluster, 'telemetry'>,
  { clusters }: Clusters<C>,
  resolve = addressesOf,
): Promise<string[]> {
  const own = telemetry.prometheusUrl;
  const urls = new Set(Object.values(clusters).map((cluster) => cluster.telemetry.prometheusUrl));
  urls.delete(own);
  const [first, others] = await Promise.all([resolve(own), Promise.allSettled([...urls].map((url) => resolve(url)))]);
  const found = others.flatMap((other) => (other.status === 'fulfilled' ? other.value : []));
  return [...new Set([...first, ...found])];
}

/**
 * Every address behind the host of a URL, from where this runs (inside the VPC).
 * @throws Error when there is none: an endpoint that does not resolve cannot be exempted.
 */
export async function addressesOf(url: string): Promise<string[]> {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  const found = await lookup(host, { all: true });
  if (found.length === 0) throw new Error(`${host}: has no address`);
  return [...new Set(found.map(({ address }) => address))];
}
