import { expect, test } from 'vitest';
import {
  DATA_DIRECTORY,
  HOST_CREDENTIALS_FILE,
  REDIS_HOSTS,
  REDIS_PORT,
  REDIS_UNIT,
  SENTINEL_PORT,
} from '../../../../lab/fleet/redis/hosts.ts';
import configuration from '../../../../lab/holdfast.config.ts';
import { ACCOUNT_ID, DOMAIN, LAB_USERS, PROMETHEUS_PORT, REGION } from '../../../../lab/shared/topology.ts';

// The configuration is written as an operator would, and goes into the Lambda bundles: it imports nothing of the lab.
test('what the lab tells the product of its fleet is what the fleet is', () => {
  const { clusters, network, apiPrincipals } = configuration;
  const cluster = clusters['redis-master'];
  expect(cluster).toMatchObject({
    unit: REDIS_UNIT,
    port: REDIS_PORT,
    dataDirectory: DATA_DIRECTORY,
    hostCredentialsFile: HOST_CREDENTIALS_FILE,
    redis: { sentinelPort: SENTINEL_PORT },
    telemetry: { prometheusUrl: `http://prometheus.${DOMAIN}:${PROMETHEUS_PORT}` },
  });
  for (const { tags } of REDIS_HOSTS) expect(tags).toMatchObject(cluster?.selectTags ?? { missing: 'selectTags' });
  expect(network.availabilityZones).toEqual([`${REGION}a`]);
  expect(apiPrincipals).toEqual(Object.values(LAB_USERS).map((name) => `arn:aws:iam::${ACCOUNT_ID}:user/${name}`));
});
