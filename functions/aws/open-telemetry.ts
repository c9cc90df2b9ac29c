import { Sha256 } from '@aws-crypto/sha256-js';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { SignatureV4 } from '@smithy/signature-v4';
import * as z from 'zod';
import type { Cluster } from '../domain/configuration.ts';
import type { TelemetryAccess } from '../domain/telemetry-access.ts';
import { HISTORY_TIMEOUT_MS } from '../domain/timing.ts';
import { httpGet } from '../runtime/http-get.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { type Ask, openToAll, PrometheusClient } from '../telemetry/prometheus.ts';
import { secretsManagerClient } from './clients.ts';
import { readAuthorities, readClientCertificate, readSecret } from './secret-values.ts';

/** What a header can carry; a colon would end the name. */
const basicSchema = z.object({
  username: z.string().regex(/^[^:\p{Cc}]+$/u),
  password: z.string().regex(/^[^\p{Cc}]+$/u),
});
const bearerSchema = z.object({ token: z.string().regex(/^[A-Za-z0-9._~+/-]+=*$/) });
/** Of AMP, in the scope of a signature. */
const AMP = 'aps';

type Access = Omit<TelemetryAccess, 'prometheusUrl'>;
/** What is sent with a request to prove who asks. */
type HeadersOf = (url: URL) => Promise<Record<string, string>>;

/** The Prometheus of each cluster. Secrets are read at the first query and kept: make one for each run, not for each process. */
export function telemetryOpener(): (cluster: Pick<Cluster, 'telemetry'>) => PrometheusClient {
  const asks = new Map<string, Ask>();
  return ({ telemetry }) => {
    const key = JSON.stringify([telemetry.prometheusUrl, telemetry.auth, telemetry.tls]);
    const ask = asks.get(key) ?? asker(telemetry, secretsManagerClient());
    asks.set(key, ask);
    return new PrometheusClient(telemetry.prometheusUrl, systemClock, ask);
  };
}

/**
 * Opens at the first question; when that fails, the next one tries again. The first answer is not waited for as briefly as the
 * others: a handshake, and the check of a password against its hash, may take longer than a query.
 */
export function asker(access: Access, secrets: SecretsManagerClient): Ask {
  if (!access.auth && !access.tls) return openToAll;
  let opening: Promise<Ask> | undefined;
  return async (url, timeoutMs) => {
    opening ??= open(access, secrets)
      .then(async (ask) => {
        await ask(url, HISTORY_TIMEOUT_MS).catch(() => undefined);
        return ask;
      })
      .catch((error: unknown) => {
        opening = undefined;
        throw error;
      });
    return (await opening)(url, timeoutMs);
  };
}

async function open({ auth, tls = {} }: Access, secrets: SecretsManagerClient): Promise<Ask> {
  const { basic, bearer, clientCertificate, sigV4 } = auth ?? {};
  const [ca, client, authorization] = await Promise.all([
    readAuthorities(secrets, tls),
    clientCertificate && readClientCertificate(secrets, clientCertificate.secretName),
    basic ? basicHeader(secrets, basic.secretName) : bearer && bearerHeader(secrets, bearer.secretName),
  ]);
  const get = httpGet({
    ...(ca === undefined ? {} : { ca }),
    ...(client ? { cert: client.certificate, key: client.key } : {}),
  });
  const headersOf: HeadersOf = sigV4
    ? signed(sigV4.region)
    : async () => (authorization === undefined ? {} : { authorization });
  return async (url, timeoutMs) => get(url, await headersOf(url), timeoutMs);
}

async function basicHeader(secrets: SecretsManagerClient, secretName: string): Promise<string> {
  const { username, password } = await readSecret(secrets, secretName, basicSchema, '{"username","password"}');
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

async function bearerHeader(secrets: SecretsManagerClient, secretName: string): Promise<string> {
  const { token } = await readSecret(secrets, secretName, bearerSchema, '{"token"}');
  return `Bearer ${token}`;
}

/** With the credentials of the function's role, which the provider renews before they expire. */
function signed(region: string): HeadersOf {
  const signer = new SignatureV4({ service: AMP, region, credentials: defaultProvider(), sha256: Sha256 });
  return async ({ protocol, hostname, host, pathname, searchParams }) => {
    const query = Object.fromEntries(searchParams);
    const request = { method: 'GET', protocol, hostname, path: pathname, query, headers: { host } };
    return (await signer.sign(request)).headers;
  };
}
