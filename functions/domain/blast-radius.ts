import type { Cluster } from './configuration.ts';
import { type Problem, problem } from './problem.ts';

/** No configuration can raise these for a production cluster, and no request can raise any limit. */
export const PRODUCTION_MAX_NODES_PCT = 10;
export const PRODUCTION_MAX_TRAFFIC_SHARE_PCT = 10;

export interface BlastRadiusLimits {
  maxNodesPct: number;
  maxTrafficSharePct: number;
}

export function limitsOf({ tier, blastRadius }: Pick<Cluster, 'tier' | 'blastRadius'>): BlastRadiusLimits {
  if (tier !== 'production') return blastRadius;
  return {
    maxNodesPct: Math.min(blastRadius.maxNodesPct, PRODUCTION_MAX_NODES_PCT),
    maxTrafficSharePct: Math.min(blastRadius.maxTrafficSharePct, PRODUCTION_MAX_TRAFFIC_SHARE_PCT),
  };
}

/** How many nodes may be impacted at once: whole nodes only, so 19 nodes at 10 % allow one. */
export function maxImpactedNodes(liveNodes: number, { maxNodesPct }: BlastRadiusLimits): number {
  return Math.floor((maxNodesPct * liveNodes) / 100);
}

/** Refuses more nodes than the limit; a cluster in which not even one node is allowed is told so. */
export function refuseTooManyNodes(
  impactedNodes: number,
  liveNodes: number,
  limits: BlastRadiusLimits,
): Problem | undefined {
  const allowed = maxImpactedNodes(liveNodes, limits);
  const numbers = { impactedNodes, liveNodes, maxNodesPct: limits.maxNodesPct, maxImpactedNodes: allowed };
  if (allowed < 1) {
    const needed = limits.maxNodesPct > 0 ? Math.ceil(100 / limits.maxNodesPct) : undefined;
    const detail = `${liveNodes} live nodes: one of them is more than ${limits.maxNodesPct} %${needed === undefined ? '' : `; ${needed} live nodes are needed`}`;
    return problem('cluster-too-small', detail, {
      ...numbers,
      ...(needed === undefined ? {} : { neededNodes: needed }),
    });
  }
  if (impactedNodes <= allowed) return undefined;
  const detail = `${impactedNodes} of ${liveNodes} live nodes is more than ${limits.maxNodesPct} %: at most ${allowed}`;
  return problem('blast-radius-exceeded', detail, numbers);
}

/** `trafficShare` is 0 to 1; a share that is not a number is unknown and refused. */
export function refuseTooMuchTraffic(trafficShare: number, limits: BlastRadiusLimits): Problem | undefined {
  if (!(trafficShare >= 0)) {
    return problem('telemetry-unavailable', 'the share of traffic of the targets cannot be read');
  }
  const trafficSharePct = 100 * trafficShare;
  if (trafficSharePct <= limits.maxTrafficSharePct) return undefined;
  const detail = `the targets serve ${trafficSharePct.toFixed(2)} % of the traffic: at most ${limits.maxTrafficSharePct} %`;
  return problem('blast-radius-exceeded', detail, { trafficSharePct, maxTrafficSharePct: limits.maxTrafficSharePct });
}
