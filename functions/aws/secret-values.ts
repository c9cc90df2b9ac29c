import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import type { Authorities } from '../domain/secrets.ts';
import { environmentVariable } from '../runtime/environment.ts';

const clientCertificateSchema = z.object({ certificate: z.string().min(1), key: z.string().min(1) });
const PEM_CERTIFICATE = '-----BEGIN CERTIFICATE-----';

/**
 * What a secret with JSON says.
 * @param shape for a person, as in `{"username","password"}`
 * @throws Error that names the secret, never its content.
 */
export async function readSecret<T>(
  secrets: SecretsManagerClient,
  secretName: string,
  schema: z.ZodType<T>,
  shape: string,
): Promise<T> {
  const parsed = schema.safeParse(parseJson(await secretText(secrets, secretName)));
  if (parsed.success) return parsed.data;
  throw new Error(`secret ${secretName}: must be JSON ${shape}`);
}

export function readClientCertificate(
  secrets: SecretsManagerClient,
  secretName: string,
): Promise<{ certificate: string; key: string }> {
  return readSecret(secrets, secretName, clientCertificateSchema, '{"certificate","key"}, both PEM');
}

/**
 * Certificates of the authorities, PEM; undefined: the public ones.
 * @throws Error where there should be some and are none: nothing else is trusted in their place.
 */
export async function readAuthorities(
  secrets: SecretsManagerClient,
  { caSecret, caFile }: Authorities,
): Promise<string | undefined> {
  if (caSecret !== undefined) return certificatesIn(`secret ${caSecret}`, await secretText(secrets, caSecret));
  return caFile === undefined ? undefined : certificatesIn(`tls.caFile ${caFile}`, await bundled(caFile));
}

function certificatesIn(where: string, text: string): string {
  if (text.includes(PEM_CERTIFICATE)) return text;
  throw new Error(`${where}: must be certificates in PEM`);
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
