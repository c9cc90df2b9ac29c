import { type Cluster, parseConfiguration } from '../../../functions/domain/configuration.ts';
import type { TelemetrySnapshot } from '../../../functions/telemetry/prometheus.ts';

export const configuration = parseConfiguration({
  clusters: {
    'redis-master': {
      engine: 'redis',
      tier: 'production',
      selectTags: { 'holdfast-cluster': 'redis-master' },
      unit: 'redis-server',
      port: 6379,
      dataDirectory: '/var/lib/redis',
      telemetry: { prometheusUrl: 'http://127.0.0.1:9090' },
    },
  },
  network: { vpcId: 'vpc-1', subnetIds: ['subnet-1'], availabilityZones: ['a'], securityGroupId: 'sg-1' },
  apiPrincipals: ['arn:aws:iam::111122223333:root'],
});

export const cluster = configuration.clusters['redis-master'] as Cluster;

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
    liveGateways: { value: 2 },
    requestRate: { value: 1000 },
  };
}
