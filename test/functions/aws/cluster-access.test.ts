import { createServer } from 'node:net';
import { DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, expect, it, vi } from 'vitest';
import { observeCluster } from '../../../functions/aws/cluster-access.ts';
import { topologyProblems } from '../../../functions/domain/topology.ts';
import { configuration, redisCluster } from '../domain/configuration-fixtures.ts';
import { listening } from '../listening.ts';
import { instance } from './instance-fixture.ts';

vi.stubEnv('AWS_REGION', 'eu-west-1');
const [ec2, secrets] = [mockClient(EC2Client), mockClient(SecretsManagerClient)];
secrets.on(GetSecretValueCommand).resolves({ SecretString: '{"username":"holdfast","password":"of-the-store"}' });
/** Somebody at the address of the instance, who remembers what is said. */
const heard: string[] = [];
const listener = createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', (data) => {
    heard.push(data.toString('latin1'));
    socket.destroy();
  });
});
const port = await listening(listener);
const [MEMBER, TAGGED] = [[{ GroupId: 'sg-0store' }], [{ GroupId: 'sg-0other' }]];
const cluster = (change: Record<string, unknown>) =>
  redisCluster({ port, secretName: 'redis', credentialsFor: { securityGroupId: 'sg-0store' }, ...change });
const observe = (groups: typeof MEMBER, change: Record<string, unknown>) => {
  const found = { ...instance(1), PrivateIpAddress: '127.0.0.1', NetworkInterfaces: [], SecurityGroups: groups };
  ec2.on(DescribeInstancesCommand).resolves({ Reservations: [{ Instances: [found] }] });
  heard.splice(0);
  return observeCluster(cluster(change), configuration());
};
const PLAIN = { tier: 'staging', tls: undefined };

afterAll(() => {
  ec2.restore();
  secrets.restore();
  vi.unstubAllEnvs();
  listener.close();
});

it('sends an instance that merely carries the tags nothing at all', async () => {
  await expect(observe(TAGGED, PLAIN)).rejects.toThrow(/carries the tags of the cluster, but not/);
  expect(heard).toEqual([]);
});

it('sends the password to an instance of the security group: what the listener of these tests would hear', async () => {
  await observe(MEMBER, PLAIN);
  expect(heard.join()).toMatch(/auth[\s\S]*of-the-store/i);
});

it('sends nobody who cannot prove his name the password, and says that it does not speak TLS', async () => {
  const { topology } = await observe(MEMBER, { tier: 'production' });
  expect(heard.length).toBeGreaterThan(0);
  expect(heard.join()).not.toMatch(/auth|of-the-store/i);
  expect(topologyProblems(topology).join()).toMatch(/redis-node-1/);
});
