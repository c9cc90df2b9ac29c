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
        prometheusUrl: 'https://prometheus.telemetry.internal:9090',
        // {"username","password"}; a token, a certificate or a signature for AMP are as good, see README.md.
        auth: { basic: { secretName: 'prometheus/holdfast' } },
        tls: { caSecret: 'prometheus/ca' },
        requests: { statusLabel: 'status' },
      },
      // OK before a start; ALARM during a run rolls it back.
      alarms: [
        { name: 'checkout-availability', severity: 'CRITICAL' },
        { name: 'sessions-redis-replication-lag', severity: 'WARNING' },
      ],
      budgets: { rtoSeconds: 15, lostAcknowledgedWrites: 0, recoverySeconds: 120 },
      window: { daysOfWeek: ['TUE', 'WED', 'THU'], start: '09:00', end: '15:00', timeZone: 'Europe/Dublin' },
      // An SSM Change Calendar of the account; it must say OPEN.
      changeCalendar: 'production-changes',
      maxDurationSeconds: 120,
      // Only what was confirmed there in the last two weeks.
      canaryFirst: { cluster: 'sessions-redis-staging', withinDays: 14 },
      // Whoever asks for an experiment here does not start it: another person approves it, within the hour.
      approval: { expiresMinutes: 60 },
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
  // Each comes by itself and through the same admission as a request: body of a request, without experimentId.
  schedules: {
    'weekly-partition': {
      expression: 'cron(0 10 ? * TUE *)',
      timeZone: 'Europe/Dublin',
      experiment: {
        targetService: 'sessions-redis-staging',
        action: 'NETWORK_PARTITION',
        parameters: {
          latencyMs: 0,
          packetLossPct: 100,
          targetPartitionGroupA: [{ role: 'replica', of: 'mymaster', count: 2 }],
          targetPartitionGroupB: [{ role: 'master', of: 'mymaster' }],
        },
        durationSeconds: 60,
        safetyThreshold: { maxAlertSeverity: 'WARNING', automaticRollbackOnAlert: true },
      },
    },
  },
  // Private subnets, one a zone, from which the stores, Prometheus and the AWS endpoints can be reached.
  network: {
    vpcId: 'vpc-0123456789abcdef0',
    subnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
    availabilityZones: ['eu-west-1a', 'eu-west-1b'],
    securityGroupId: 'sg-0123456789abcdef0',
  },
  // One topic a severity, made by the stack or yours by ARN. In production the people on call are told 5 minutes ahead, or nothing starts.
  notifications: {
    topics: { WARNING: 'arn:aws:sns:eu-west-1:111122223333:sre-warnings' },
    announce: { leadSeconds: 300 },
  },
  // Alerts of Amazon Managed Service for Prometheus end experiments too: a workspace is made, with rules from the guardrails. One
  // that is there already: `{ workspaceArn }`, see docs/alerts.md.
  amp: { create: true },
  apiPrincipals: ['arn:aws:iam::111122223333:role/sre-oncall', 'arn:aws:iam::111122223333:role/holdfast-pipeline'],
  // Who of them may start what; without the table, each of them everything.
  principals: [
    { principal: 'arn:aws:iam::111122223333:role/sre-oncall' },
    { principal: 'schedule/*', clusters: ['sessions-redis-staging'] },
    {
      principal: 'arn:aws:iam::111122223333:role/holdfast-pipeline',
      clusters: ['sessions-redis-staging'],
      faults: ['NETWORK_PARTITION', 'PROCESS_KILL'],
      maxTtlSeconds: 60,
      window: {
        daysOfWeek: ['MON', 'TUE', 'WED', 'THU', 'FRI'],
        start: '08:00',
        end: '18:00',
        timeZone: 'Europe/Berlin',
      },
    },
  ],
});
