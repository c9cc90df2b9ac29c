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
      alarms: [{ name: 'checkout-availability', severity: 'CRITICAL' }],
    },
    // Only in a lab that is started with --tls.
    'redis-tls': {
      ...REDIS,
      tier: 'staging',
      blastRadius: { maxNodesPct: 40, maxTrafficSharePct: 10 },
      selectTags: { 'holdfast-cluster': 'redis-tls' },
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
      secretsKeyArn: 'arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9',
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
  // One account for one deployment, and all of its quota.
  reservesConcurrency: true,
  apiPrincipals: ['arn:aws:iam::111122223333:user/lab-operator', 'arn:aws:iam::111122223333:user/lab-administrator'],
});
