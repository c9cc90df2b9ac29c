import { expect, test, vi } from 'vitest';
import { hostContent } from '../../../../lab/fleet/redis/configuration.ts';
import {
  DATA_DIRECTORY,
  HOST_FILES,
  REDIS_HOSTS,
  REDIS_PORT,
  REDIS_UNIT,
  SENTINEL_PORT,
  TLS_HOSTS,
} from '../../../../lab/fleet/redis/hosts.ts';
import { MIN_REPLICAS_VARIABLE, minReplicasOf } from '../../../../lab/fleet/redis/min-replicas.ts';
import { secretsOf } from '../../../../lab/fleet/redis/users.ts';
import configuration from '../../../../lab/holdfast.config.ts';
import {
  ACCOUNT_ID,
  AUDIT_BUCKET,
  AWS_HOST_NAME,
  DOMAIN,
  LAB_USERS,
  PROMETHEUS_PORT,
  REGION,
  WORKSPACE_ID,
} from '../../../../lab/shared/topology.ts';

// The configuration is written as an operator would, and goes into the Lambda bundles: it imports nothing of the lab.
test.each([
  ['redis-master', REDIS_HOSTS, `http://prometheus.${DOMAIN}:${PROMETHEUS_PORT}`],
  ['redis-tls', TLS_HOSTS, `https://${AWS_HOST_NAME}/workspaces/${WORKSPACE_ID}`],
])('what the lab tells the product of %s is what the fleet is', (name, hosts, prometheusUrl) => {
  const cluster = configuration.clusters[name];
  expect(cluster).toMatchObject({
    unit: REDIS_UNIT,
    port: REDIS_PORT,
    dataDirectory: DATA_DIRECTORY,
    hostCredentialsFile: HOST_FILES.credentials,
    redis: { sentinelPort: SENTINEL_PORT },
    telemetry: { prometheusUrl },
  });
  for (const { tags, securityGroupId } of hosts) {
    expect(tags).toMatchObject(cluster?.selectTags ?? { missing: 'selectTags' });
    expect(cluster?.credentialsFor?.securityGroupId).toBe(securityGroupId);
  }
});

test('what the lab tells the product of its TLS is what its hosts and secrets are', () => {
  const cluster = configuration.clusters['redis-tls'];
  const [host] = TLS_HOSTS;
  if (!host) throw new Error('no host speaks TLS');
  const keys = {
    user: (username: string) => ({ username, password: '' }),
    certificate: () => ({ ca: '', certificate: '', key: '' }),
  };
  const secrets = secretsOf(host, keys);
  const { secretName = '', tls } = cluster ?? {};
  expect(Object.keys(secrets)).toEqual([secretName, tls?.caSecret, tls?.clientCertificate?.secretName]);
  for (const { keyArn } of Object.values(secrets)) expect(keyArn).toBe(cluster?.secretsKeyArn);
  expect(tls).toMatchObject({
    serverName: `{node}.${DOMAIN}`,
    hostCaFile: HOST_FILES.ca,
    clientCertificate: { hostCertificateFile: HOST_FILES.certificate, hostKeyFile: HOST_FILES.key },
  });
});

test('what the lab tells the product of its network and users is what they are', () => {
  const { network, apiPrincipals, alertmanagerPrincipals, auditExport } = configuration;
  const arnOf = (name: string) => `arn:aws:iam::${ACCOUNT_ID}:user/${name}`;
  expect(auditExport?.bucketArn).toBe(`arn:aws:s3:::${AUDIT_BUCKET}`);
  expect(network.availabilityZones).toEqual([`${REGION}a`]);
  expect(apiPrincipals).toEqual([LAB_USERS.operator, LAB_USERS.administrator].map(arnOf));
  expect(alertmanagerPrincipals).toEqual([arnOf(LAB_USERS.alertmanager)]);
});

test('masters need a replica for a write, none where that is asked for, and no other number', () => {
  const [host] = REDIS_HOSTS;
  const keys = {
    user: (username: string) => ({ username, password: '' }),
    certificate: () => ({ ca: '', certificate: '', key: '' }),
  };
  const configured = () =>
    host && hostContent(host, keys).files.find(({ path }) => path.endsWith('/redis.conf'))?.content;
  expect(configured()).toMatch(/^min-replicas-to-write 1$/m);
  vi.stubEnv(MIN_REPLICAS_VARIABLE, '0');
  expect(configured()).toMatch(/^min-replicas-to-write 0$/m);
  vi.unstubAllEnvs();
  expect(() => minReplicasOf('2')).toThrow('LAB_REDIS_MIN_REPLICAS: 2 is none of 0, 1');
});
