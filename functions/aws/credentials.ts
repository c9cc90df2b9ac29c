import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import type { Cluster } from '../domain/configuration.ts';
import type { StoreCredentials } from '../engines/engine.ts';

const secretSchema = z.object({ username: z.string().min(1).optional(), password: z.string().min(1) });

/**
 * User and password for a cluster's store; empty when the cluster has no `secretName`.
 * @throws Error that names the secret, never its content.
 */
export async function readCredentials(
  secrets: SecretsManagerClient,
  { secretName }: Pick<Cluster, 'secretName'>,
): Promise<StoreCredentials> {
  if (secretName === undefined) return {};
  const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: secretName }));
  const parsed = secretSchema.safeParse(parseJson(SecretString ?? ''));
  if (!parsed.success) throw new Error(`secret ${secretName}: must be JSON {"username","password"}`);
  const { username, password } = parsed.data;
  return { ...(username === undefined ? {} : { username }), password };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
