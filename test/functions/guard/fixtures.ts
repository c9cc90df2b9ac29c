import type { TelemetrySnapshot } from '../../../functions/domain/guardrails.ts';
import { redisCluster } from '../domain/configuration-fixtures.ts';

export const cluster = redisCluster();

/** As an evaluation takes it. */
export const named = { name: 'redis-master', cluster };

export const baseline = { liveGateways: 2, requestsPerSecond: 1000 };

/** A system that is well, `ageSeconds` after its last scrape. */
export function wellSnapshot(ageSeconds = 0.1): TelemetrySnapshot {
  return {
    guardrails: {
      errorRatePct: { value: 0, ageSeconds },
      p99WriteLatencyMs: { value: 14.2, ageSeconds },
      freeWorkersPct: { value: 90, ageSeconds },
    },
    liveGateways: { value: 2, ageSeconds },
    requestRate: { value: 1000, ageSeconds },
  };
}
