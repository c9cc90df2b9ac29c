import { defineConfiguration } from './functions/engines/configuration.ts';

/**
 * An example to edit: every id, name and limit here is yours to replace. What is not written has its default, see
 * functions/engines/configuration.ts. A request can narrow what stands here and never widen it.
 */
export default defineConfiguration({
  clusters: {
    'sessions-redis': {
      engine: 'redis',
      tier: 'production',
      // Every node carries these EC2 tags, and its name in `Name` or another tag (nameTag).
      selectTags: { service: 'sessions-redis', environment: 'production' },
      unit: 'redis-server',
      port: 6379,
      dataDirectory: '/var/lib/redis',
      tls: {
        serverName: '{node}.sessions-redis.internal',
        caSecret: 'sessions-redis/ca',
        hostCaFile: '/etc/redis/tls/ca.crt',
      },
      // The secret below, and AUTH with it, are for instances of this security group only.
      credentialsFor: { securityGroupId: 'sg-0123456789abcdef1' },
      secretName: 'sessions-redis/holdfast',
      hostCredentialsFile: '/etc/holdfast/store.json',
      redis: { sentinelPort: 26379, minReplicasToWrite: 1 },
      // What is not said of the gateways' series has the names in README.md.
      telemetry: {
        prometheusUrl: 'http://prometheus.telemetry.internal:9090',
        requests: { statusLabel: 'status' },
      },
      // OK before a start; ALARM during a run rolls it back.
      alarms: [
        { name: 'checkout-availability', severity: 'CRITICAL' },
        { name: 'sessions-redis-replication-lag', severity: 'WARNING' },
      ],
      budgets: { rtoSeconds: 15, lostAcknowledgedWrites: 0, recoverySeconds: 120 },
      window: { daysOfWeek: ['TUE', 'WED', 'THU'], startHourUtc: 9, endHourUtc: 15 },
      maxDurationSeconds: 120,
    },
    'sessions-redis-staging': {
      engine: 'redis',
      tier: 'staging',
      // Six nodes: one of them is 17 %, which only a staging cluster may allow.
      blastRadius: { maxNodesPct: 20, maxTrafficSharePct: 50 },
      selectTags: { service: 'sessions-redis', environment: 'staging' },
      unit: 'redis-server',
      port: 6379,
      dataDirectory: '/var/lib/redis',
      credentialsFor: { securityGroupId: 'sg-0123456789abcdef2' },
      secretName: 'sessions-redis-staging/holdfast',
      hostCredentialsFile: '/etc/holdfast/store.json',
      // Scraped more rarely, so that a breach is seen later: the dry run says by how much.
      telemetry: { prometheusUrl: 'http://prometheus.staging.internal:9090', scrapeIntervalSeconds: 15 },
    },
  },
  // Private subnets, one a zone, from which the stores, Prometheus and the AWS endpoints can be reached.
  network: {
    vpcId: 'vpc-0123456789abcdef0',
    subnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
    availabilityZones: ['eu-west-1a', 'eu-west-1b'],
    securityGroupId: 'sg-0123456789abcdef0',
  },
  apiPrincipals: ['arn:aws:iam::111122223333:role/sre-oncall', 'arn:aws:iam::111122223333:role/holdfast-pipeline'],
});
