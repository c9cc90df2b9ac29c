import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';
import { readCredentials } from '../../../functions/aws/credentials.ts';
import { configuredClusters } from '../../../functions/domain/cluster.ts';
import { addressesOf } from '../../../functions/telemetry/addresses.ts';
import { configuration } from '../guard/fixtures.ts';

const secrets = mockClient(SecretsManagerClient);
const read = () => readCredentials(new SecretsManagerClient({ region: 'eu-west-1' }), { secretName: 'redis' });

describe('credentials', () => {
  it('come from the named secret, and from nowhere for a cluster without one', async () => {
    secrets
      .on(GetSecretValueCommand, { SecretId: 'redis' })
      .resolves({ SecretString: '{"username":"u","password":"p"}' });
    expect(await read()).toEqual({ username: 'u', password: 'p' });
    expect(await readCredentials(new SecretsManagerClient({ region: 'eu-west-1' }), {})).toEqual({});
  });

  it('are refused without repeating what the secret holds', async () => {
    secrets.on(GetSecretValueCommand).resolves({ SecretString: 'hunter2' });
    await expect(read()).rejects.toThrow('secret redis: must be JSON {"username","password"}');
  });
});

describe('the clusters of an experiment', () => {
  const experiment = (...clusters: string[]) => ({
    experimentId: 'exp',
    durationSeconds: 60,
    safetyThreshold: { maxAlertSeverity: 'WARNING' as const, automaticRollbackOnAlert: true },
    faults: clusters.map((cluster, at) => ({
      faultId: `exp.${at + 1}`,
      name: `${at + 1}`,
      kind: 'PROCESS_PAUSE' as const,
      cluster,
      startSeconds: 0,
      impactedNodes: ['n'],
      parameters: { kind: 'PROCESS_PAUSE' as const, targetNodes: ['n'] },
    })),
  });

  it('are each one that this deployment may touch, the first fault’s first', () => {
    const { clusters } = configuration;
    const { 'redis-master': one } = clusters;
    if (!one) throw new Error('no cluster');
    const two = { clusters: { a: one, b: one } };
    expect(Object.keys(configuredClusters(experiment('b', 'a', 'b'), two))).toEqual(['b', 'a']);
    expect(configuredClusters(experiment('redis-master'), configuration)['redis-master']?.port).toBe(6379);
    for (const name of ['other', 'toString']) {
      expect(() => configuredClusters(experiment('redis-master', name), configuration)).toThrow(
        `cluster ${name}: not one of redis-master`,
      );
    }
  });
});

describe('telemetry addresses', () => {
  it('are those behind the host of the URL, also when that is an address', async () => {
    expect(await addressesOf('http://127.0.0.1:9090')).toEqual(['127.0.0.1']);
    expect(await addressesOf('http://[::1]:9090/')).toEqual(['::1']);
    expect(await addressesOf('http://localhost:9090')).not.toEqual([]);
  });
});
