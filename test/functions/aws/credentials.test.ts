import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, describe, expect, it } from 'vitest';
import { readCredentials } from '../../../functions/aws/credentials.ts';

const secrets = mockClient(SecretsManagerClient);
afterAll(() => secrets.restore());
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
