import { randomBytes, randomUUID } from 'node:crypto';
import { servicePrincipal } from '../iam/roles.ts';
import { AwsError } from '../protocol/aws-error.ts';
import { apiGatewayError } from '../protocol/error-answer.ts';
import type { HttpAnswer, WireRequest } from '../protocol/http.ts';
import { isObject, type Json, type JsonObject } from '../protocol/json.ts';
import type { Authorizer, Principal } from '../protocol/principal.ts';
import type { CallContext, Endpoint, EndpointCall } from '../protocol/service.ts';
import type { Resource, Template } from '../template/template.ts';
import type { Lambda } from './lambda.ts';
import type { Usage } from './usage.ts';

const INTEGRATION_TIMEOUT_MS = 29_000;
const SERVICE = servicePrincipal('apigateway.amazonaws.com');
const HEADERS = { 'content-type': 'application/json' };

interface Route {
  method: string;
  /** Resource path, e.g. `/v1/chaos/experiments/{id}`. */
  path: string;
  functionArn: string;
}

/** API Gateway REST API: the template's routes with IAM authorization and Lambda proxy integration. */
export class ApiGateway implements Endpoint {
  readonly signingName = 'execute-api';
  readonly renderError = apiGatewayError;
  readonly apiId: string;
  readonly stage: string;
  readonly arn: string;
  readonly #routes: Route[];
  readonly #policy: unknown;
  readonly #dependencies: { authorizer: Authorizer; lambda: Lambda; usage: Usage; accountId: string };

  /** @throws Error for an integration or authorization the lab does not stand in for. */
  constructor(template: Template, authorizer: Authorizer, lambda: Lambda, usage: Usage) {
    const [api] = template.ofType('AWS::ApiGateway::RestApi');
    const [stage] = template.ofType('AWS::ApiGateway::Stage');
    if (api === undefined || stage === undefined) throw new Error('the template has no REST API with a stage');
    const { accountId, region } = template.place;
    this.apiId = api.ref;
    this.stage = stage.name;
    this.arn = `arn:aws:execute-api:${region}:${accountId}:${this.apiId}`;
    this.#dependencies = { authorizer, lambda, usage, accountId };
    this.#policy = expandPolicy(api.properties.Policy, this.arn);
    this.#routes = template.ofType('AWS::ApiGateway::Method').map((method) => readRoute(template, api, method));
  }

  /** What permission a call needs is known once it is routed, so it is asked for there. */
  read(request: WireRequest): EndpointCall {
    return { name: 'Invoke', demands: () => [], run: (context) => this.#handle(request, context) };
  }

  async #handle(request: WireRequest, verified: CallContext): Promise<HttpAnswer> {
    const { authorizer, lambda, usage } = this.#dependencies;
    usage.apiRequests += 1;
    const url = new URL(request.url, 'https://api');
    const prefix = `/${this.stage}`;
    const path = url.pathname.startsWith(`${prefix}/`) ? url.pathname.slice(prefix.length) : undefined;
    const found = path === undefined ? undefined : this.#find(request.method, path);
    // The service answers an unknown route like a missing signature.
    if (found === undefined || path === undefined)
      throw new AwsError('MissingAuthenticationTokenException', 'Missing Authentication Token', 403);
    const resource = `${this.arn}/${this.stage}/${request.method}${path}`;
    await authorizer.require(
      verified.principal,
      [{ action: 'execute-api:Invoke', resource, resourcePolicy: this.#policy }],
      request.sourceIp,
    );
    const event = this.#event(request, verified, url, path, found);
    const source = { 'aws:SourceArn': `${this.arn}/${this.stage}/${found.route.method}${found.route.path}` };
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), INTEGRATION_TIMEOUT_MS);
    });
    try {
      const outcome = await Promise.race([lambda.invoke(SERVICE, found.route.functionArn, event, source), late]);
      if (outcome === 'late')
        return { status: 504, headers: HEADERS, body: '{"message": "Endpoint request timed out"}' };
      if (outcome.error !== undefined) return badGateway(`${found.route.functionArn}: ${outcome.payload}`);
      return proxyAnswer(JSON.parse(outcome.payload));
    } catch (error) {
      // No permission, or throttled: the service's own fault towards the caller.
      return { ...badGateway(String(error)), status: 500 };
    } finally {
      clearTimeout(timer);
    }
  }

  #find(method: string, path: string): { route: Route; pathParameters: Record<string, string> | null } | undefined {
    for (const route of this.#routes) {
      if (route.method !== method && route.method !== 'ANY') continue;
      const names = [...route.path.matchAll(/\{(\w+)(\+?)\}/g)];
      const pattern = route.path.replace(/\{\w+\+\}/g, '(.+)').replace(/\{\w+\}/g, '([^/]+)');
      const match = new RegExp(`^${pattern}/?$`).exec(path);
      if (match === null) continue;
      const values = names.map(([, name = ''], index) => [name, decodeURIComponent(match[index + 1] ?? '')]);
      return { route, pathParameters: names.length === 0 ? null : Object.fromEntries(values) };
    }
    return undefined;
  }

  #event(
    request: WireRequest,
    verified: CallContext,
    url: URL,
    path: string,
    found: { route: Route; pathParameters: Record<string, string> | null },
  ): JsonObject {
    const multi: Record<string, string[]> = {};
    for (const [name, value] of url.searchParams) multi[name] = [...(multi[name] ?? []), value];
    const hasQuery = Object.keys(multi).length > 0;
    const { principal } = verified;
    const nowMs = Date.now();
    return {
      resource: found.route.path,
      path,
      httpMethod: request.method,
      headers: request.headers,
      multiValueHeaders: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, [value]])),
      queryStringParameters: hasQuery ? Object.fromEntries(url.searchParams) : null,
      multiValueQueryStringParameters: hasQuery ? multi : null,
      pathParameters: found.pathParameters,
      stageVariables: null,
      requestContext: {
        accountId: this.#dependencies.accountId,
        apiId: this.apiId,
        stage: this.stage,
        protocol: 'HTTP/1.1',
        requestId: requestIdOf(request),
        extendedRequestId: randomBytes(11).toString('base64'),
        resourcePath: found.route.path,
        httpMethod: request.method,
        path: url.pathname,
        requestTime: new Date(nowMs).toUTCString(),
        requestTimeEpoch: nowMs,
        identity: identityOf(principal, verified.accessKeyId, this.#dependencies.accountId, request),
      },
      body: request.body.length === 0 ? null : request.body.toString('utf8'),
      isBase64Encoded: false,
    };
  }
}

/** As the service: the caller may choose this id with a header. One that is not well formed is ignored. */
function requestIdOf({ headers }: WireRequest): string {
  const chosen = headers['x-amzn-requestid'];
  return chosen !== undefined && /^[A-Za-z0-9!#$%&'*+.^_|~`-]{1,128}$/.test(chosen) ? chosen : randomUUID();
}

function identityOf(principal: Principal, accessKey: string, accountId: string, request: WireRequest): JsonObject {
  return {
    userArn: principal.arn,
    user: principal.name,
    caller: principal.name,
    accountId,
    accessKey,
    sourceIp: request.sourceIp,
    userAgent: request.headers['user-agent'] ?? null,
  };
}

function readRoute(template: Template, api: Resource, method: Resource): Route {
  const { properties, logicalId } = method;
  if (properties.AuthorizationType !== 'AWS_IAM')
    throw new Error(`${logicalId}: the lab knows AuthorizationType AWS_IAM only`);
  const integration = isObject(properties.Integration) ? properties.Integration : {};
  const functionArn = /functions\/(arn:[^/]+)\/invocations/.exec(String(integration.Uri))?.[1];
  if (integration.Type !== 'AWS_PROXY' || functionArn === undefined)
    throw new Error(`${logicalId}: the lab knows AWS_PROXY to Lambda only`);
  let path = '';
  let current = properties.ResourceId;
  while (current !== api.ref) {
    const resource = template.ofType('AWS::ApiGateway::Resource').find(({ ref }) => ref === current);
    if (resource === undefined) throw new Error(`${logicalId}: no resource ${String(current)}`);
    path = `/${String(resource.properties.PathPart)}${path}`;
    current = resource.properties.ParentId;
  }
  return { method: String(properties.HttpMethod), path: path || '/', functionArn };
}

/** `execute-api:/*` is shorthand for this API, and only API Gateway understands it. */
export function expandPolicy(policy: Json | undefined, apiArn: string): unknown {
  if (policy === undefined) return undefined;
  const text = typeof policy === 'string' ? policy : JSON.stringify(policy);
  return JSON.parse(text.replaceAll('"execute-api:/', `"${apiArn}/`));
}

function badGateway(why: string): HttpAnswer {
  console.error(`api-gateway: ${why}`);
  return { status: 502, headers: HEADERS, body: '{"message": "Internal server error"}' };
}

function proxyAnswer(result: Json): HttpAnswer {
  if (!isObject(result) || typeof result.statusCode !== 'number')
    return badGateway(`malformed proxy response ${JSON.stringify(result)}`);
  const headers = isObject(result.headers) ? Object.entries(result.headers) : [];
  const body = typeof result.body === 'string' ? result.body : '';
  return {
    status: result.statusCode,
    headers: { ...HEADERS, ...Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), String(value)])) },
    body: result.isBase64Encoded === true ? Buffer.from(body, 'base64') : body,
  };
}
