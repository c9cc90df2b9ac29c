import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AwsError, unknownOperation } from './aws-error.ts';
import { apiGatewayError, jsonError } from './error-answer.ts';
import { type HttpAnswer, jsonAnswer, readRequest, type WireRequest } from './http.ts';
import type { Outages } from './outages.ts';
import type { Authorizer, KeyRing } from './principal.ts';
import type { Endpoint } from './service.ts';
import { claimedService, verifySignature } from './signature.ts';

/** A path that nobody signs: its caller proves itself in another way. */
export interface UnsignedRoute {
  prefix: string;
  /** Whose endpoint this is in AWS. */
  service: string;
  handle(request: WireRequest, signal: AbortSignal): Promise<object> | object;
}

/** Who holds both sides to AWS's own description of a service. */
export interface Referee {
  /** @throws AwsError for a request that the service would refuse. */
  judgeRequest(service: string, request: WireRequest): void;
  /** @throws Error for an answer that the service would never give. */
  judgeAnswer(service: string, request: WireRequest, answer: HttpAnswer): void;
}

export interface FrontDependencies {
  keys: KeyRing;
  authorizer: Authorizer;
  usage: { count(principalName: string, operation: string): void };
  region: string;
  endpoints: readonly Endpoint[];
  unsigned: readonly UnsignedRoute[];
  referee: Referee;
  /** Whether there is a way from that address to the service. */
  reaches(from: string, service: string): boolean;
  onUnreachable(call: string): void;
  outages: Pick<Outages, 'cover'>;
  nowMs: () => number;
}

/** The one endpoint of all services: reads, verifies, authorizes, dispatches by the credential scope, renders. */
export function createFront(
  dependencies: FrontDependencies,
): (incoming: IncomingMessage, response: ServerResponse) => void {
  return (incoming, response) => {
    void answer(dependencies, incoming, response).catch((error: unknown) => {
      console.error('front:', error);
      response.destroy();
    });
  };
}

async function answer(
  dependencies: FrontDependencies,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const hungUp = new AbortController();
  response.on('close', () => hungUp.abort());
  const request = await readRequest(incoming);
  const service = routeOf(dependencies, request)?.service ?? claimedService(request.headers) ?? '';
  // What is for no service is answered as such.
  if (service !== '' && !dependencies.reaches(request.sourceIp, service)) {
    // As where no route leads: nobody answers.
    dependencies.onUnreachable(`${service} from ${request.sourceIp}: no endpoint is declared for it`);
    return;
  }
  if (dependencies.outages.cover(service, request)) return;
  const failed = (thrown: unknown): HttpAnswer => {
    const error = thrown instanceof AwsError ? thrown : new AwsError('InternalFailure', String(thrown), 500);
    if (!(thrown instanceof AwsError) && !hungUp.signal.aborted)
      console.error(`front: ${request.method} ${request.url}:`, thrown);
    if (error.code === 'UnknownOperationException') console.error(`front: ${error.message}`);
    return renderError(dependencies.endpoints, request, error);
  };
  let result = await dispatch(dependencies, request, hungUp.signal).catch(failed);
  try {
    dependencies.referee.judgeAnswer(service, request, result);
  } catch (thrown) {
    result = failed(thrown);
  }
  if (hungUp.signal.aborted) return;
  response.writeHead(result.status, {
    'x-amzn-requestid': randomUUID(),
    ...result.headers,
    'content-length': Buffer.byteLength(result.body),
  });
  response.end(result.body);
}

async function dispatch(
  dependencies: FrontDependencies,
  request: WireRequest,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const { keys, authorizer, usage, region, endpoints, referee, nowMs } = dependencies;
  const route = routeOf(dependencies, request);
  if (route !== undefined) return jsonAnswer(await route.handle(request, signal));
  const verified = verifySignature(request, keys, region, nowMs());
  const { principal, service } = verified;
  const endpoint = endpoints.find(({ signingName }) => signingName === service);
  if (endpoint === undefined) throw unknownOperation('AWS', `the service ${service}`);
  const call = endpoint.read(request);
  usage.count(principal.name, `${service}.${call.name}`);
  referee.judgeRequest(service, request);
  await authorizer.require(principal, call.demands(), request.sourceIp);
  return call.run({ ...verified, sourceIp: request.sourceIp, signal });
}

function routeOf({ unsigned }: FrontDependencies, { url }: WireRequest): UnsignedRoute | undefined {
  return unsigned.find(({ prefix }) => url.startsWith(prefix));
}

/** In the shape of the service that the request claims to be for; without a claim, as the API or a JSON service would. */
function renderError(endpoints: readonly Endpoint[], request: WireRequest, error: AwsError): HttpAnswer {
  const service = claimedService(request.headers);
  const endpoint = endpoints.find(({ signingName }) => signingName === service);
  if (endpoint !== undefined) return endpoint.renderError(error);
  const isJson = service !== undefined || (request.method === 'POST' && request.headers['x-amz-target'] !== undefined);
  return isJson ? jsonError(error, 400) : apiGatewayError(error);
}
