import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import type { Cluster } from '../domain/configuration.ts';
import type { Certificates, StoreAccess, StoreCredentials } from '../engines/engine.ts';
import { environmentVariable } from '../runtime/environment.ts';

/** Other texts of the secret are the engine's own. */
const credentialsSchema = z
  .object({ username: z.string().min(1).optional(), password: z.string().min(1) })
  .catchall(z.string());
const clientCertificateSchema = z.object({ certificate: z.string().min(1), key: z.string().min(1) });
const PEM_CERTIFICATE = '-----BEGIN CERTIFICATE-----';

type Secured = Pick<Cluster, 'secretName' | 'tls'>;

/**
 * What a cluster's stores are opened with.
 * @throws Error that names the secret or file, never its content.
 */
export async function readAccess(secrets: SecretsManagerClient, cluster: Secured): Promise<StoreAccess> {
  const [credentials, certificates] = await Promise.all([
    readCredentials(secrets, cluster),
    readCertificates(secrets, cluster),
  ]);
  return { credentials, certificates };
}

async function readCredentials(secrets: SecretsManagerClient, { secretName }: Secured): Promise<StoreCredentials> {
  if (secretName === undefined) return {};
  const { success, data } = credentialsSchema.safeParse(parseJson(await secretText(secrets, secretName)));
  if (!success) throw new Error(`secret ${secretName}: must be JSON {"username","password"}, and texts beside them`);
  const { username, ...texts } = data;
  return username === undefined ? texts : { username, ...texts };
}

async function readCertificates(secrets: SecretsManagerClient, { tls }: Secured): Promise<Certificates> {
  if (!tls) return {};
  const { caSecret, caFile, clientCertificate } = tls;
  const [ca, client] = await Promise.all([
    caSecret === undefined
      ? caFile && authorities(`tls.caFile ${caFile}`, bundled(caFile))
      : authorities(`secret ${caSecret}`, secretText(secrets, caSecret)),
    clientCertificate && readClientCertificate(secrets, clientCertificate.secretName),
  ]);
  return { ...(ca ? { ca } : {}), ...(client ? { client } : {}) };
}

async function authorities(where: string, reading: Promise<string>): Promise<string> {
  const text = await reading;
  if (text.includes(PEM_CERTIFICATE)) return text;
  throw new Error(`${where}: must be certificates in PEM`);
}

async function readClientCertificate(secrets: SecretsManagerClient, secretName: string) {
  const parsed = clientCertificateSchema.safeParse(parseJson(await secretText(secrets, secretName)));
  if (parsed.success) return parsed.data;
  throw new Error(`secret ${secretName}: must be JSON {"certificate","key"}, both PEM`);
}

/** Beside the code of the function, see lib/bundle.ts. */
function bundled(file: string): Promise<string> {
  return readFile(join(environmentVariable('LAMBDA_TASK_ROOT'), file), 'utf8');
}

async function secretText(secrets: SecretsManagerClient, secretName: string): Promise<string> {
  const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: secretName }));
  return SecretString ?? '';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
