import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readAccess } from '../../../functions/aws/credentials.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const directory = mkdtempSync(join(tmpdir(), 'holdfast-credentials-'));
const secrets = mockClient(SecretsManagerClient);
afterAll(() => {
  secrets.restore();
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});
beforeEach(() => secrets.reset());
const read = (cluster: Parameters<typeof readAccess>[1]) =>
  readAccess(new SecretsManagerClient({ region: 'eu-west-1' }), cluster);
const hold = (name: string, SecretString: string) =>
  secrets.on(GetSecretValueCommand, { SecretId: name }).resolves({ SecretString });
const serverName = '{node}.redis.example';

describe('credentials', () => {
  it('come from the named secret, and from nowhere for a cluster without one', async () => {
    hold('redis', '{"username":"u","password":"p"}');
    expect((await read({ secretName: 'redis' })).credentials).toEqual({ username: 'u', password: 'p' });
    expect(await read({})).toEqual({ credentials: {}, certificates: {} });
  });

  it('come with the other texts of the secret, which the engine knows', async () => {
    hold('redis', '{"password":"p","sentinelPassword":""}');
    expect((await read({ secretName: 'redis' })).credentials).toEqual({ password: 'p', sentinelPassword: '' });
  });

  it.each(['hunter2', '{"password":"hunter2","port":1}', '{"username":"hunter2"}'])(
    'are refused without repeating what the secret holds: %s',
    async (text) => {
      hold('redis', text);
      const refusal = await read({ secretName: 'redis' }).catch(String);
      expect(refusal).toContain('secret redis: must be JSON {"username","password"}');
      expect(refusal).not.toContain('hunter2');
    },
  );
});

describe('certificates', () => {
  it('of the authority come from a secret, or from the file that the function carries, or are the public ones', async () => {
    hold('ca', PEM);
    expect((await read({ tls: { serverName, caSecret: 'ca' } })).certificates).toEqual({ ca: PEM });
    vi.stubEnv('LAMBDA_TASK_ROOT', directory);
    writeFileSync(join(directory, 'ca.pem'), PEM);
    expect((await read({ tls: { serverName, caFile: 'ca.pem' } })).certificates).toEqual({ ca: PEM });
    expect((await read({ tls: { serverName } })).certificates).toEqual({});
  });

  it('of ours come with their key from one secret', async () => {
    hold('client', JSON.stringify({ certificate: PEM, key: 'k' }));
    const clientCertificate = { secretName: 'client', hostCertificateFile: '/c', hostKeyFile: '/k' };
    const { certificates } = await read({ tls: { serverName, clientCertificate } });
    expect(certificates).toEqual({ client: { certificate: PEM, key: 'k' } });
    hold('client', 'hunter2');
    await expect(read({ tls: { serverName, clientCertificate } })).rejects.toThrow(
      'secret client: must be JSON {"certificate","key"}, both PEM',
    );
  });

  it('that are none are refused by where they should be: nothing else is trusted in their place', async () => {
    hold('ca', '');
    await expect(read({ tls: { serverName, caSecret: 'ca' } })).rejects.toThrow(
      'secret ca: must be certificates in PEM',
    );
  });
});
