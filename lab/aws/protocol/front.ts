import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Authorizer } from '../iam/authorization.ts';
import type { CredentialStore } from '../iam/principals.ts';
import type { ApiGateway, HttpAnswer } from '../services/api-gateway.ts';
import { type Ec2, escapeXml } from '../services/ec2.ts';
import type { Lambda } from '../services/lambda.ts';
import { answerInvoke } from '../services/lambda-invoke.ts';
import { AGENT_PATH, type AgentChannel } from '../services/ssm-agents.ts';
import type { Usage } from '../services/usage.ts';
import { CUSTOM_RESOURCE_PATH, type CustomResources } from '../template/custom-resources.ts';
import { isObject, type Json } from '../template/intrinsics.ts';
import { AwsError, unknownOperation } from './aws-error.ts';
import type { CallContext, JsonService, Operation, RestService } from './service.ts';
import { claimedService, verifySignature, type WireRequest } from './signature.ts';

const MAX_BODY_BYTES = 10 * 1024 * 1024;

export interface FrontDependencies {
  credentials: CredentialStore;
  authorizer: Authorizer;
  usage: Usage;
  region: string;
  jsonServices: readonly JsonService[];
  restServices: readonly RestService[];
  ec2: Ec2;
  lambda: Lambda;
  api: ApiGateway | undefined;
  agents: AgentChannel;
  customResources: CustomResources;
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
  const service = claimedService(request.headers);
  let result: HttpAnswer;
  try {
    result = await dispatch(dependencies, request, hungUp.signal);
  } catch (thrown) {
    const error = thrown instanceof AwsError ? thrown : new AwsError('InternalFailure', String(thrown), 500);
    if (!(thrown instanceof AwsError) && !hungUp.signal.aborted)
      console.error(`front: ${request.method} ${request.url}:`, thrown);
    if (error.code === 'UnknownOperationException') console.error(`front: ${error.message}`);
    result = renderError(
      service ?? (request.method === 'POST' && request.headers['x-amz-target'] ? 'json' : 'execute-api'),
      error,
    );
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
  if (request.url.startsWith(AGENT_PATH)) {
    return json(await dependencies.agents.handle(request.url, request.headers, request.body, signal));
  }
  if (request.url.startsWith(CUSTOM_RESOURCE_PATH))
    return json(dependencies.customResources.receive(request.url, request.body));
  const verified = verifySignature(request, dependencies.credentials, dependencies.region, dependencies.nowMs());
  const { authorizer, usage, lambda, api, ec2 } = dependencies;
  const { principal, service } = verified;
  if (service === 'execute-api') {
    usage.count(principal.name, 'execute-api.Invoke');
    if (api === undefined) throw unknownOperation(service, 'Invoke: the template has no REST API');
    return api.handle(request, verified);
  }
  if (service === 'lambda') {
    usage.count(principal.name, 'lambda.Invoke');
    return answerInvoke(lambda, authorizer, request, verified);
  }
  if (service === 'ec2') {
    const form = new URLSearchParams(request.body.toString('utf8'));
    usage.count(principal.name, `ec2.${form.get('Action')}`);
    await authorizer.require(principal, ec2.demands(form), request.sourceIp);
    return { status: 200, headers: { 'content-type': 'text/xml;charset=UTF-8' }, body: ec2.call(form) };
  }
  const rest = dependencies.restServices.find(({ signingName }) => signingName === service);
  const call = rest === undefined ? jsonCall(dependencies, request, service) : restCall(rest, request);
  usage.count(principal.name, `${service}.${call.name}`);
  if (call.operation === undefined) throw unknownOperation(service, call.name);
  await authorizer.require(principal, call.operation.demands(call.input), request.sourceIp);
  const context: CallContext = { ...verified, sourceIp: request.sourceIp, signal };
  const contentType = rest === undefined ? 'application/x-amz-json-1.1' : 'application/json';
  return json(await call.operation.run(call.input, context), contentType);
}

interface Call {
  name: string;
  operation: Operation | undefined;
  input: { [key: string]: Json };
}

function jsonCall({ jsonServices }: FrontDependencies, request: WireRequest, service: string): Call {
  const stand = jsonServices.find(({ signingName }) => signingName === service);
  if (stand === undefined) throw unknownOperation('AWS', `the service ${service}`);
  const name = (request.headers['x-amz-target'] ?? '').split('.').at(-1) ?? '';
  return { name, operation: stand.operations[name], input: parseJson(request.body) };
}

function restCall(stand: RestService, { method, url, body }: WireRequest): Call {
  const { pathname, searchParams } = new URL(url, 'https://aws');
  const found = stand.route(method, decodeURIComponent(pathname));
  const input = { ...parseJson(body), ...Object.fromEntries(searchParams), ...found?.fields };
  const name = found?.operation ?? `${method} ${pathname}`;
  return { name, operation: stand.operations[name], input };
}

function parseJson(body: Buffer): { [key: string]: Json } {
  try {
    const parsed: Json = JSON.parse(body.toString('utf8') || '{}');
    if (isObject(parsed)) return parsed;
  } catch {
    // answered below, like every other body that is no object
  }
  throw new AwsError('SerializationException', 'the body is not a JSON object');
}

function json(value: object, contentType = 'application/json'): HttpAnswer {
  return { status: 200, headers: { 'content-type': contentType }, body: JSON.stringify(value) };
}

/** Each protocol has its own error shape; clients look for exactly that. */
function renderError(service: string, error: AwsError): HttpAnswer {
  const headers = { 'content-type': 'application/json', 'x-amzn-errortype': error.code };
  if (service === 'execute-api') {
    const field = error.code === 'AccessDeniedException' ? 'Message' : 'message';
    return { status: error.status, headers, body: JSON.stringify({ [field]: error.message }) };
  }
  if (service === 'ec2') {
    const code = error.code === 'AccessDeniedException' ? 'UnauthorizedOperation' : error.code;
    const body = `<Response><Errors><Error><Code>${escapeXml(code)}</Code><Message>${escapeXml(error.message)}</Message></Error></Errors><RequestID>lab</RequestID></Response>`;
    return { status: error.status, headers: { 'content-type': 'text/xml;charset=UTF-8' }, body };
  }
  // The JSON services answer 400 where IAM says no; those with a REST protocol answer 403.
  const status = error.status === 403 && !['lambda', 'fis'].includes(service) ? 400 : error.status;
  return {
    status,
    headers,
    body: JSON.stringify({ __type: error.code, message: error.message, Message: error.message, ...error.fields }),
  };
}

async function readRequest(incoming: IncomingMessage): Promise<WireRequest> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Error(`${incoming.url}: more than 10 MB`);
    chunks.push(chunk);
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers))
    headers[name] = Array.isArray(value) ? value.join(',') : (value ?? '');
  const sourceIp = (incoming.socket.remoteAddress ?? '127.0.0.1').replace(/^::ffff:/, '');
  return { method: incoming.method ?? 'GET', url: incoming.url ?? '/', headers, body: Buffer.concat(chunks), sourceIp };
}
