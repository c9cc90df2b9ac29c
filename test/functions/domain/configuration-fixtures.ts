import { type Configuration, parseConfiguration } from '../../../functions/engines/configuration.ts';
import type { RedisCluster } from '../../../functions/engines/redis/configuration.ts';

const CLUSTER = {
  engine: 'redis',
  tier: 'production',
  selectTags: { 'holdfast-cluster': 'redis-master' },
  unit: 'redis-server',
  port: 6379,
  dataDirectory: '/var/lib/redis',
  tls: { serverName: '{node}.redis.example' },
  telemetry: { prometheusUrl: 'http://prometheus.example:9090' },
  alarms: [
    { name: 'orders-5xx', severity: 'CRITICAL' },
    { name: 'orders-slow', severity: 'WARNING' },
  ],
};

const NETWORK = {
  vpcId: 'vpc-1',
  subnetIds: ['subnet-1'],
  availabilityZones: ['eu-west-1a'],
  securityGroupId: 'sg-1',
};

/** A deployment with the cluster `redis-master`, changed as asked for, others beside it, and what else it says. */
export function configuration(
  cluster: Record<string, unknown> = {},
  others: Record<string, Record<string, unknown>> = {},
  network: Record<string, unknown> = {},
  deployment: Record<string, unknown> = {},
): Configuration {
  return parseConfiguration({
    clusters: {
      'redis-master': { ...CLUSTER, ...cluster },
      ...Object.fromEntries(
        Object.entries(others).map(([name, other]) => [
          name,
          { ...CLUSTER, selectTags: { 'holdfast-cluster': name }, ...other },
        ]),
      ),
    },
    network: { ...NETWORK, ...network },
    apiPrincipals: ['arn:aws:iam::111122223333:root'],
    notifications: { announce: false },
    ...deployment,
  });
}

/** The cluster `redis-master` of that deployment. */
export function redisCluster(change: Record<string, unknown> = {}): RedisCluster {
  const { 'redis-master': cluster } = configuration(change).clusters;
  if (cluster?.engine !== 'redis') throw new Error('no cluster redis-master');
  return cluster;
}
