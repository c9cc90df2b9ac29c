import { readFileSync } from 'node:fs';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { printable } from './render.ts';

export interface ApiAnswer {
  status: number;
  /** Parsed JSON. */
  body: unknown;
}

export interface ApiClient {
  call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: string): Promise<ApiAnswer>;
  close(): void;
}

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  /** Of temporary credentials. */
  sessionToken?: string;
}

/** What is needed to call the API as a user. */
export interface ApiConnection {
  /** With the path of the API's stage, or without one: then the stage is the `/api` of the contract's paths. */
  apiUrl: string;
  /** The one authority to trust; absent: the public ones. */
  caFile?: string;
  region: string;
  /** A function where they are renewed. */
  credentials: Credentials | (() => Promise<Credentials>);
}

const STAGE = '/api';
export const EXPERIMENTS_PATH = `${STAGE}/v1/chaos/experiments`;
export const SCHEDULES_PATH = `${STAGE}/v1/chaos/schedules`;
export const KILL_SWITCH_PATH = `${STAGE}/v1/chaos/kill-switch`;
/** API Gateway itself gives up after 29 s. */
const REQUEST_TIMEOUT_MS = 35_000;

export function pathOf(experimentId: string): string {
  return `${EXPERIMENTS_PATH}/${encodeURIComponent(experimentId)}`;
}

/**
 * A client that signs every request (SigV4). `call` rejects when there is no HTTP answer or its body is not JSON;
 * refusals are answers, not errors. Whatever credentials cannot be had is the error of their provider.
 */
export function createApiClient(connection: ApiConnection, timeoutMs = REQUEST_TIMEOUT_MS): ApiClient {
  const { apiUrl, caFile, region, credentials } = connection;
  const secure = new URL(apiUrl).protocol === 'https:';
  const agent = secure
    ? new HttpsAgent({ keepAlive: true, ...(caFile === undefined ? {} : { ca: readFileSync(caFile) }) })
    : new HttpAgent({ keepAlive: true });
  const signer = (async () => {
    // A command that asks nothing starts without it.
    const { SignatureV4, Sha256 } = await import('./signing.ts');
    return new SignatureV4({ service: 'execute-api', region, credentials, sha256: Sha256 });
  })();
  return {
    call: async (method, path, body) => {
      const url = urlOf(apiUrl, path);
      const signed = await (await signer).sign({
        method,
        protocol: url.protocol,
        hostname: url.hostname,
        ...(url.port ? { port: Number(url.port) } : {}),
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: { host: url.host, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body }),
      });
      return send(agent, method, url, signed.headers, body, timeoutMs);
    },
    close: () => agent.destroy(),
  };
}

/** @param path as the contract has it, with the stage `/api`, whose place the path of `apiUrl` takes. */
function urlOf(apiUrl: string, path: string): URL {
  const { origin, pathname } = new URL(apiUrl);
  const stage = pathname.replace(/\/+$/, '');
  return new URL(origin + (stage === '' ? path : stage + path.slice(STAGE.length)));
}

function send(
  agent: HttpAgent,
  method: string,
  url: URL,
  headers: Record<string, string>,
  body: string | undefined,
  timeoutMs: number,
): Promise<ApiAnswer> {
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const options = { agent, method, headers: { ...headers, ...length } };
    const outgoing = request(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        try {
          resolve({ status: response.statusCode ?? 0, body: text === '' ? undefined : JSON.parse(text) });
        } catch {
          const type = response.headers['content-type'] ?? 'no content type';
          const begins = text.slice(0, 60).replace(/\s+/g, ' ');
          reject(
            new Error(
              printable(
                `${url.host} answered ${response.statusCode} with ${type} that is not JSON ("${begins}"): it is not the API, or a proxy stands before it`,
              ),
            ),
          );
        }
      });
    });
    const timer = setTimeout(
      () => outgoing.destroy(new Error(`${method} ${url.pathname}: no answer in ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    outgoing.on('close', () => clearTimeout(timer));
    outgoing.on('error', (error) => reject(new Error(`${url.host}: ${reasonOf(error)}`, { cause: error })));
    outgoing.end(body);
  });
}

/** Where several addresses were tried, Node's error has no message of its own. */
function reasonOf(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map((each: Error) => each.message).join('; ');
  return error.message;
}
