import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import type { Cluster } from '../domain/configuration.ts';
import type { Certificates, StoreAccess, StoreCredentials } from '../engines/engine.ts';
import { readAuthorities, readClientCertificate, readSecret } from './secret-values.ts';

/** Other texts of the secret are the engine's own. */
const credentialsSchema = z
  .object({ username: z.string().min(1).optional(), password: z.string().min(1) })
  .catchall(z.string());

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
  const shape = '{"username","password"}, and texts beside them';
  const { username, ...texts } = await readSecret(secrets, secretName, credentialsSchema, shape);
  return username === undefined ? texts : { username, ...texts };
}

async function readCertificates(secrets: SecretsManagerClient, { tls }: Secured): Promise<Certificates> {
  if (!tls) return {};
  const { clientCertificate } = tls;
  const [ca, client] = await Promise.all([
    readAuthorities(secrets, tls),
    clientCertificate && readClientCertificate(secrets, clientCertificate.secretName),
  ]);
  return { ...(ca === undefined ? {} : { ca }), ...(client ? { client } : {}) };
}
