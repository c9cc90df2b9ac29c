import { Sha256 } from '@aws-crypto/sha256-js';
import type { FisClient } from '@aws-sdk/client-fis';
import { SignatureV4 } from '@smithy/signature-v4';
import * as z from 'zod';

const MAX_REASON_CHARACTERS = 250;
const PATH = '/safetyLevers/default';
const CONFLICT = 409;

const leverSchema = z.object({
  safetyLever: z.object({ state: z.object({ status: z.string(), reason: z.string().optional() }) }),
});

/** What became of a lever that is to be engaged: `BEFORE` it was already, by us; `FOREIGN` by somebody else. */
export interface LeverEngaged {
  engaged: 'NOW' | 'BEFORE' | 'FOREIGN';
  /** That of whoever engaged it. */
  reason: string;
}

/** The one safety lever of FIS in an account and Region. */
export interface SafetyLever {
  /** Leaves one alone that is engaged, or about to be, whoever did it. @throws Error with what FIS said */
  engage(reason: string): Promise<LeverEngaged>;
  /** Leaves one alone that is not engaged, or that somebody else engaged. @returns whether it did. @throws Error */
  disengage(reason: string): Promise<boolean>;
}

class FisError extends Error {
  readonly status: number;

  constructor(status: number, text: string) {
    super(`FIS answered ${status}: ${text.slice(0, 300)}`);
    this.status = status;
  }
}

/**
 * Asked for without a command of the client, whose version knows none of it: signed here.
 * @param stackName begins the reasons that we give: a lever that another stack or a person engaged is theirs to disengage
 */
export function safetyLeverOf(fis: FisClient, stackName: string): SafetyLever {
  const ours = `Holdfast ${stackName}: `;
  const call = async (method: 'GET' | 'PATCH', path: string, body?: string) => {
    const url = new URL(path, await endpointOf(fis));
    const { credentials, region, requestHandler } = fis.config;
    const signer = new SignatureV4({ service: 'fis', region, credentials, sha256: Sha256 });
    const content = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body ?? '')) };
    const signed = await signer.sign({
      ...{ method, protocol: url.protocol, hostname: url.hostname, path: url.pathname, query: {} },
      ...(url.port ? { port: Number(url.port) } : {}),
      headers: { host: url.host, ...(body === undefined ? {} : content) },
      ...(body === undefined ? {} : { body }),
    });
    // The handler reads these fields and no others; with its time limits a request that hangs is given up.
    const { response } = await requestHandler.handle(signed as Parameters<typeof requestHandler.handle>[0]);
    const chunks: Buffer[] = [];
    for await (const chunk of response.body as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    if (response.statusCode !== 200) throw new FisError(response.statusCode, text);
    return leverSchema.parse(JSON.parse(text)).safetyLever.state;
  };
  const set = (status: 'engaged' | 'disengaged', reason: string) =>
    call(
      'PATCH',
      `${PATH}/state`,
      JSON.stringify({ state: { status, reason: reason.slice(0, MAX_REASON_CHARACTERS) } }),
    );
  const found = async (): Promise<LeverEngaged | undefined> => {
    const { status, reason = '' } = await call('GET', PATH);
    if (status !== 'engaged' && status !== 'engaging') return undefined;
    return { engaged: reason.startsWith(ours) ? 'BEFORE' : 'FOREIGN', reason };
  };
  return {
    async engage(reason) {
      // FIS refuses another reason for a status that stays. A lever that cannot be read is engaged all the same.
      const before = await found().catch(() => undefined);
      if (before) return before;
      try {
        const { status } = await set('engaged', ours + reason);
        if (status === 'disengaged') throw new Error(`FIS says that the safety lever is ${status}`);
        return { engaged: 'NOW', reason };
      } catch (error) {
        const meanwhile = error instanceof FisError && error.status === CONFLICT ? await found() : undefined;
        if (meanwhile) return meanwhile;
        throw error;
      }
    },
    async disengage(reason) {
      if ((await found())?.engaged !== 'BEFORE') return false;
      await set('disengaged', ours + reason);
      return true;
    },
  };
}

/** As the client itself finds it: where somebody names an endpoint, that, else AWS's own of the partition. */
async function endpointOf({ config }: FisClient): Promise<URL> {
  const named = process.env.AWS_ENDPOINT_URL_FIS ?? process.env.AWS_ENDPOINT_URL;
  if (named !== undefined) return new URL(named);
  return config.endpointProvider({ Region: await config.region(), UseDualStack: false, UseFIPS: false }).url;
}
