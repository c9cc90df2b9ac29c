import type { HttpAnswer, WireRequest } from '../protocol/http.ts';
import { type Member, type OperationModel, type ServiceModel, type Shape, shapeNamed } from './model.ts';
import { type Decoded, jsonErrorOf, parseJson, unknownName, type WireProtocol } from './wire.ts';

/** Method and path name the operation; members are in path, query, headers and body. */
export const restWire: WireProtocol = {
  operationOf: (model, request) =>
    Object.values(model.operations).find(
      ({ http }) => http.method === request.method && pathFields(http.requestUri, pathOf(request)) !== undefined,
    ),
  input: decodeInput,
  output: decodeOutput,
  error: jsonErrorOf,
};

const pathOf = (request: WireRequest): string => request.url.split('?')[0] ?? '';

/** @returns what stands for the braces of the template; undefined where the path is of another form. */
function pathFields(template: string, path: string): Record<string, string> | undefined {
  const names: string[] = [];
  const pattern = (template.split('?')[0] ?? '').replace(/\{([^}+]+)(\+?)\}/g, (_, name: string, greedy: string) => {
    names.push(name);
    return greedy ? '(.+)' : '([^/]+)';
  });
  const found = new RegExp(`^${pattern}/?$`).exec(path);
  if (found === null) return undefined;
  return Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(found[index + 1] ?? '')]));
}

function decodeInput(model: ServiceModel, operation: OperationModel, request: WireRequest): Decoded {
  if (operation.input === undefined) return { value: {} };
  const shape = shapeNamed(model, operation.input.shape);
  const path = pathFields(operation.http.requestUri, pathOf(request)) ?? {};
  const query = new URL(request.url, 'https://aws').searchParams;
  const known = namesAt(shape, 'querystring');
  const unknown = [...query.keys()].filter((name) => !known.includes(name) && name !== 'x-id');
  if (unknown.length > 0) return { unreadable: `the query has ${unknown.join(', ')}, which is no member` };
  const given = (member: Member, name: string): string | undefined => {
    const wireName = member.locationName ?? name;
    if (member.location === 'uri') return path[wireName];
    if (member.location === 'querystring') return query.get(wireName) ?? undefined;
    return request.headers[wireName.toLowerCase()];
  };
  return assemble(model, shape, request.body, given);
}

function decodeOutput(model: ServiceModel, operation: OperationModel, answer: HttpAnswer): Decoded {
  if (operation.output === undefined) return { value: {} };
  const shape = shapeNamed(model, operation.output.shape);
  return assemble(model, shape, Buffer.from(answer.body), (member, name) =>
    member.location === 'statusCode'
      ? String(answer.status)
      : answer.headers[(member.locationName ?? name).toLowerCase()],
  );
}

/** Puts a message together from its body and what `located` finds elsewhere. */
function assemble(
  model: ServiceModel,
  shape: Shape,
  body: Buffer,
  located: (member: Member, name: string) => string | undefined,
): Decoded {
  const message: Record<string, unknown> = {};
  const members = Object.entries(shape.members ?? {});
  for (const [name, member] of members) {
    if (member.location === undefined || member.location === 'headers') continue;
    const text = located(member, name);
    if (text !== undefined) message[name] = scalarOf(shapeNamed(model, member.shape), text);
  }
  const payload = shape.payload === undefined ? undefined : shape.members?.[shape.payload];
  if (shape.payload !== undefined && payload !== undefined) {
    if (shapeNamed(model, payload.shape).type === 'blob') return { value: { ...message, [shape.payload]: body } };
    const parsed = parseJson(body.toString('utf8'));
    return 'unreadable' in parsed ? parsed : { value: { ...message, [shape.payload]: parsed.value } };
  }
  const parsed = parseJson(body.toString('utf8'));
  if ('unreadable' in parsed) return parsed;
  // In the body a member goes by its locationName.
  const named = new Map(members.map(([name, { locationName }]) => [locationName ?? name, name]));
  const fields = Object.entries(Object(parsed.value)).map(([name, value]) => [
    named.get(name) ?? unknownName(name),
    value,
  ]);
  return { value: { ...Object.fromEntries(fields), ...message } };
}

function namesAt(shape: Shape, location: Member['location']): string[] {
  return Object.entries(shape.members ?? {})
    .filter(([, member]) => member.location === location)
    .map(([name, member]) => member.locationName ?? name);
}

/** What stands as text in a path, a query, a header, a form or in XML. */
export function scalarOf({ type }: Shape, text: string): unknown {
  if (['integer', 'long', 'float', 'double'].includes(type)) return text.trim() === '' ? text : Number(text);
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  return text;
}
