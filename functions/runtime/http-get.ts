import { type Agent, globalAgent as plainAgent, request as requestPlain } from 'node:http';
import { globalAgent as publicTlsAgent, request as requestTls, Agent as TlsAgent } from 'node:https';
import { text } from 'node:stream/consumers';
import type { SecureContextOptions } from 'node:tls';
import { tlsProblem } from './tls-problem.ts';

export interface HttpAnswer {
  status: number;
  body: string;
}

/** Follows no redirect: credentials go to the host that was asked, and to no other. */
export type HttpGet = (url: URL, headers: Record<string, string>, timeoutMs: number) => Promise<HttpAnswer>;

/** How long a connection waits for its next query, as in Node's own agents. */
const IDLE_MS = 5000;

/**
 * @param identity whom to trust, and who we are, where that is not public
 * @returns a GET that rejects with what went wrong, in words where it is TLS
 */
export function httpGet(identity: Pick<SecureContextOptions, 'ca' | 'cert' | 'key'> = {}): HttpGet {
  const isPublic = Object.keys(identity).length === 0;
  const tlsAgent = isPublic ? publicTlsAgent : new TlsAgent({ keepAlive: true, timeout: IDLE_MS, ...identity });
  const once = async (url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<HttpAnswer> => {
    const [send, agent]: [typeof requestTls, Agent] =
      url.protocol === 'https:' ? [requestTls, tlsAgent] : [requestPlain, plainAgent];
    return new Promise((resolve, reject) => {
      const request = send(url, { headers, agent, signal }, (response) => {
        text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
      });
      request.on('error', (error: NodeJS.ErrnoException) => {
        // The server may close a connection just when it is used again: that says nothing about the query.
        const wasClosed = request.reusedSocket && error.code === 'ECONNRESET';
        if (wasClosed) once(url, headers, signal).then(resolve, reject);
        else reject(error);
      });
      request.end();
    });
  };
  return async (url, headers, timeoutMs) => {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      return await once(url, headers, signal);
    } catch (error) {
      if (signal.aborted) throw new Error(`no answer within ${timeoutMs} ms`, { cause: error });
      throw tlsProblem(error, { servername: url.hostname }) ?? error;
    }
  };
}
