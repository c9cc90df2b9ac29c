import { readFileSync } from 'node:fs';
import { type Agent, Agent as HttpsAgent, request } from 'node:https';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import type { ApiConnection } from '../runtime/lab-file.ts';

export interface ApiAnswer {
  status: number;
  /** Parsed JSON. */
  body: unknown;
}

export interface ApiClient {
  call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: string): Promise<ApiAnswer>;
  close(): void;
}

export const EXPERIMENTS_PATH = '/api/v1/chaos/experiments';
/** API Gateway itself gives up after 29 s. */
const REQUEST_TIMEOUT_MS = 35_000;

/**
 * A client that signs every request with the user's key, as the AWS command line would, and trusts the lab's CA alone.
 * `call` rejects when there is no HTTP answer or its body is not JSON; refusals are answers, not errors.
 */
export function createApiClient(connection: ApiConnection): ApiClient {
  const agent = new HttpsAgent({ keepAlive: true, ca: readFileSync(connection.caFile) });
  const signer = new SignatureV4({
    service: 'execute-api',
    region: connection.region,
    credentials: { accessKeyId: connection.accessKeyId, secretAccessKey: connection.secretAccessKey },
    sha256: Sha256,
  });
  return {
    call: async (method, path, body) => {
      const url = new URL(connection.apiUrl + path);
      const signed = await signer.sign({
        method,
        protocol: url.protocol,
        hostname: url.hostname,
        ...(url.port ? { port: Number(url.port) } : {}),
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: { host: url.host, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body }),
      });
      return send(agent, method, url, signed.headers, body);
    },
    close: () => agent.destroy(),
  };
}

function send(
  agent: Agent,
  method: string,
  url: URL,
  headers: Record<string, string>,
  body: string | undefined,
): Promise<ApiAnswer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const options = { agent, method, headers: { ...headers, ...length }, timeout: REQUEST_TIMEOUT_MS };
    const outgoing = request(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        try {
          resolve({ status: response.statusCode ?? 0, body: text === '' ? undefined : JSON.parse(text) });
        } catch {
          reject(new Error(`${method} ${url.pathname}: ${response.statusCode} with a body that is not JSON`));
        }
      });
    });
    outgoing.on('timeout', () =>
      outgoing.destroy(new Error(`${method} ${url.pathname}: no answer in ${REQUEST_TIMEOUT_MS / 1000} s`)),
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
