import { defineConfiguration } from '../functions/engines/configuration.ts';

const INSTANCE_PROFILE = 'arn:aws:iam::111122223333:instance-profile/lab-fleet-host';

const REDIS = {
  engine: 'redis',
  unit: 'redis-server',
  port: 6379,
  dataDirectory: '/var/lib/redis',
  hostCredentialsFile: '/etc/holdfast/store.json',
  redis: { sentinelPort: 26379, minReplicasToWrite: 1 },
  telemetry: { prometheusUrl: 'http://prometheus.holdfast.internal:9090' },
} as const;

const KAFKA = {
  engine: 'kafka' as const,
  unit: 'kafka',
  port: 9092,
  dataDirectory: '/var/lib/kafka',
  tier: 'staging' as const,
  credentialsFor: { securityGroupId: 'sg-0a1b2c3d4e5f60003', instanceProfileArn: INSTANCE_PROFILE },
  kafka: { sasl: 'SCRAM-SHA-512' as const, groups: ['orders-workers'], logDirectories: ['/var/lib/kafka/data'] },
  telemetry: {
    prometheusUrl: 'http://prometheus.holdfast.internal:9090',
    // The workers that a slow broker fills are those of the consumers.
    workers: { free: 'consumer_workers_free', max: 'consumer_workers_max' },
    trafficShareQuery:
      'sum(rate(records_produced_total{broker="{{node}}"}[60s])) / sum(rate(records_produced_total[60s]))',
  },
};

const CASSANDRA = {
  // One node of three: a majority of every row's copies survives it. A third of the requests is given to each.
  blastRadius: { maxNodesPct: 34, maxTrafficSharePct: 70 },
  engine: 'cassandra' as const,
  unit: 'cassandra',
  port: 9042,
  dataDirectory: '/var/lib/cassandra',
  tier: 'staging' as const,
  credentialsFor: { securityGroupId: 'sg-0a1b2c3d4e5f60004', instanceProfileArn: INSTANCE_PROFILE },
  cassandra: {
    seeds: ['cassandra-node-1', 'cassandra-node-2'],
    keyspaces: [
      { name: 'orders', consistency: 'QUORUM' as const },
      { name: 'holdfast_probe', consistency: 'QUORUM' as const },
    ],
    dataDirectories: ['/var/lib/cassandra/data'],
    commitLogDirectory: '/var/lib/cassandra/commitlog',
  },
  telemetry: {
    prometheusUrl: 'http://prometheus.holdfast.internal:9090',
    trafficShareQuery:
      'sum(rate(requests_coordinated_total{node="{{node}}"}[60s])) / sum(rate(requests_coordinated_total[60s]))',
  },
};

/** A replica stands still for some seconds: nobody notices. */
const REPLICA_PAUSED = {
  targetService: 'redis-master',
  action: 'PROCESS_PAUSE',
  parameters: { targetNodes: [{ role: 'replica', of: 'shard-1' }] },
  durationSeconds: 5,
  safetyThreshold: { maxAlertSeverity: 'WARNING', automaticRollbackOnAlert: true },
};

/** The lab's fleet, see lab/shared/topology.ts. Network ids are made up: the lab runs VPC functions in a namespace of their own. */
export default defineConfiguration({
  clusters: {
    'redis-master': {
      ...REDIS,
      // A production tier would refuse a fault on a busy shard at admission. The lab must show what comes after that
      // line: the same fault admitted, felt by clients, and aborted by the guard. So the traffic limit is wider here.
      tier: 'staging',
      blastRadius: { maxNodesPct: 10, maxTrafficSharePct: 40 },
      selectTags: { 'holdfast-cluster': 'redis-master' },
      credentialsFor: { securityGroupId: 'sg-0a1b2c3d4e5f60001', instanceProfileArn: INSTANCE_PROFILE },
      secretName: 'holdfast/redis-master',
      changeCalendar: 'production-changes',
      alarms: [
        { name: 'checkout-availability', severity: 'CRITICAL' },
        // Names may be anything.
        { name: 'orders late / "eu-west-1"', severity: 'CRITICAL' },
      ],
      telemetry: { ...REDIS.telemetry, stores: 'probe_success{job="stores"}' },
    },
    // Only in a lab that is started with --tls.
    'redis-tls': {
      ...REDIS,
      tier: 'staging',
      blastRadius: { maxNodesPct: 40, maxTrafficSharePct: 10 },
      selectTags: { 'holdfast-cluster': 'redis-tls' },
      // The same Prometheus as a workspace of AMP, which answers to who signs and may.
      telemetry: {
        prometheusUrl: 'https://aws.holdfast.internal/workspaces/ws-0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9',
        auth: { sigV4: { region: 'eu-west-1' } },
      },
      tls: {
        serverName: '{node}.holdfast.internal',
        caSecret: 'holdfast/redis-tls-ca',
        hostCaFile: '/etc/holdfast/ca.pem',
        clientCertificate: {
          secretName: 'holdfast/redis-tls-client',
          hostCertificateFile: '/etc/holdfast/client.pem',
          hostKeyFile: '/etc/holdfast/client.key',
        },
      },
      credentialsFor: { securityGroupId: 'sg-0a1b2c3d4e5f60002', instanceProfileArn: INSTANCE_PROFILE },
      secretName: 'holdfast/redis-tls',
      guardrails: {
        // Requests for a shard that is not there. They are nobody's failure but this cluster's: what a test breaks here,
        // nothing else feels.
        unknownShards: {
          kind: 'PROMQL',
          query: 'sum(rate(http_requests_total{code="404"}[5s])) or vector(0)',
          freshness: 'http_requests_total',
          control: 'count(http_requests_total)',
          limit: 5,
          breachWhen: 'above',
          unit: 'requests/s',
        },
      },
      secretsKeyArn: 'arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9',
      approval: { expiresMinutes: 60 },
    },
    // Only in a lab that is started with --engines kafka.
    'kafka-orders': {
      ...KAFKA,
      // One broker of three: every partition survives it. One may lead two of three, until the preferred leader is back.
      blastRadius: { maxNodesPct: 34, maxTrafficSharePct: 70 },
      selectTags: { 'holdfast-cluster': 'kafka-orders' },
      tls: { serverName: '{node}.holdfast.internal', caSecret: 'holdfast/kafka-orders-ca' },
      secretName: 'holdfast/kafka-orders',
    },
    // The same hosts, only in a lab that is started with --engines kafka-disposable.
    'kafka-disposable': {
      ...KAFKA,
      // Two of three may go at once: then no controller has a majority, and nobody writes until one is back.
      disposable: true,
      blastRadius: { maxNodesPct: 67, maxTrafficSharePct: 100 },
      budgets: { rtoSeconds: 120 },
      selectTags: { 'holdfast-cluster': 'kafka-disposable' },
      tls: { serverName: '{node}.holdfast.internal', caSecret: 'holdfast/kafka-disposable-ca' },
      secretName: 'holdfast/kafka-disposable',
    },
    // Only in a lab that is started with --engines cassandra.
    'cassandra-orders': {
      ...CASSANDRA,
      selectTags: { 'holdfast-cluster': 'cassandra-orders' },
      tls: { serverName: '{node}.holdfast.internal', caSecret: 'holdfast/cassandra-orders-ca' },
      secretName: 'holdfast/cassandra-orders',
    },
    // The same hosts, only in a lab that is started with --engines cassandra-replaceable.
    'cassandra-replaceable': {
      ...CASSANDRA,
      instancesMayBeTerminated: true,
      // A new node waits for 90 s before it copies its data.
      budgets: { recoverySeconds: 240 },
      selectTags: { 'holdfast-cluster': 'cassandra-replaceable' },
      tls: { serverName: '{node}.holdfast.internal', caSecret: 'holdfast/cassandra-replaceable-ca' },
      secretName: 'holdfast/cassandra-replaceable',
    },
    // Only in a lab that is started with --engines cassandra --datacenters 2.
    'cassandra-datacenters': {
      engine: 'cassandra',
      unit: 'cassandra',
      port: 9042,
      dataDirectory: '/var/lib/cassandra',
      tier: 'staging',
      // The link between datacenters concerns both nodes of one, and all that is asked there.
      blastRadius: { maxNodesPct: 50, maxTrafficSharePct: 100 },
      selectTags: { 'holdfast-cluster': 'cassandra-datacenters' },
      tls: { serverName: '{node}.holdfast.internal', caSecret: 'holdfast/cassandra-datacenters-ca' },
      credentialsFor: { securityGroupId: 'sg-0a1b2c3d4e5f60005', instanceProfileArn: INSTANCE_PROFILE },
      secretName: 'holdfast/cassandra-datacenters',
      cassandra: {
        seeds: ['cassandra-dc1-node-1', 'cassandra-dc2-node-1'],
        keyspaces: [
          { name: 'orders', consistency: 'LOCAL_QUORUM', datacenters: ['dc1'] },
          { name: 'holdfast_probe', consistency: 'LOCAL_QUORUM', datacenters: ['dc1'] },
          // Two copies in each: without a node of dc2 nobody could log in there.
          { name: 'system_auth', consistency: 'LOCAL_QUORUM', datacenters: ['dc1'] },
        ],
        dataDirectories: ['/var/lib/cassandra/data'],
        commitLogDirectory: '/var/lib/cassandra/commitlog',
      },
      telemetry: {
        prometheusUrl: 'http://prometheus.holdfast.internal:9090',
        trafficShareQuery:
          'sum(rate(requests_coordinated_total{node="{{node}}"}[60s])) / sum(rate(requests_coordinated_total[60s]))',
      },
    },
  },
  network: {
    vpcId: 'vpc-0a1b2c3d4e5f60718',
    subnetIds: ['subnet-0a1b2c3d4e5f60718'],
    availabilityZones: ['eu-west-1a'],
    securityGroupId: 'sg-0a1b2c3d4e5f60718',
    // Nothing else of AWS can be reached from the namespaces of functions and hosts.
    endpoints: {
      routeTableIds: ['rtb-0a1b2c3d4e5f60718'],
      hostSecurityGroupIds: ['sg-0a1b2c3d4e5f60719'],
    },
  },
  // They come when a test moves the clock of the lab's Scheduler there, and not before.
  schedules: {
    'nightly-pause': { expression: 'cron(0 3 5 1 ? 2099)', timeZone: 'Europe/Berlin', experiment: REPLICA_PAUSED },
    // While the first one runs.
    'overlapping-pause': { expression: 'cron(1 3 5 1 ? 2099)', timeZone: 'Europe/Berlin', experiment: REPLICA_PAUSED },
  },
  principals: [
    { principal: 'arn:aws:iam::111122223333:user/lab-operator' },
    { principal: 'schedule/*', clusters: ['redis-master'], faults: ['PROCESS_PAUSE'] },
    // Approves there, and may start nothing elsewhere.
    { principal: 'arn:aws:iam::111122223333:user/lab-administrator', clusters: ['redis-tls'] },
  ],
  // A start on this cluster is told and waited for, as in production.
  notifications: { announce: { leadSeconds: 4, alsoClusters: ['redis-tls'] } },
  // Prometheus and Alertmanager of the lab run what this deploys, and an Alertmanager of the team's own may send alerts too.
  amp: { create: true },
  alertmanagerPrincipals: ['arn:aws:iam::111122223333:user/lab-alertmanager'],
  // Nobody else is in this account.
  killSwitch: { fisSafetyLever: true, cascade: {} },
  auditExport: { bucketArn: 'arn:aws:s3:::lab-audit-archive' },
  // One account for one deployment, and all of its quota.
  reservesConcurrency: true,
  apiPrincipals: ['arn:aws:iam::111122223333:user/lab-operator', 'arn:aws:iam::111122223333:user/lab-administrator'],
});
