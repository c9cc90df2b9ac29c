import type { HttpAnswer, WireRequest } from '../protocol/http.ts';
import { bucketOfHost } from '../protocol/virtual-host.ts';
import type { OperationModel, ServiceModel } from './model.ts';
import { shapeNamed } from './model.ts';
import type { DecodedError, WireProtocol } from './wire.ts';
import { restWire } from './wire-rest.ts';
import { parseXml } from './xml.ts';

/**
 * S3's own: as the other REST protocol where the payload is the whole body and all else stands in path and headers; only its
 * errors are XML. Several operations share a path: those are told apart by members that they need beside it.
 */
export const restXmlWire: WireProtocol = {
  operationOf: (model, request) => {
    const asked = pathStyle(request);
    const { pathname, searchParams } = new URL(asked.url, 'https://s3');
    const marked = [...searchParams.keys()].filter((name) => name !== 'x-id');
    return Object.values(model.operations)
      .filter(({ http }) => http.method === asked.method && matches(http.requestUri, pathname, marked))
      .find((operation) => hasRequired(model, operation, asked));
  },
  input: (model, operation, request) => restWire.input(model, operation, pathStyle(request)),
  output: restWire.output,
  error: xmlErrorOf,
};

/** The model has the bucket in the path, also where the client puts it before the host's name. */
function pathStyle(request: WireRequest): WireRequest {
  const bucket = bucketOfHost(request.headers.host);
  return bucket === undefined ? request : { ...request, url: `/${bucket}${request.url}` };
}

function matches(template: string, pathname: string, marked: readonly string[]): boolean {
  const [path = '', mark = ''] = template.split('?');
  const pattern = path.replace(/\{[^}]+\+\}/g, '.+').replace(/\{[^}]+\}/g, '[^/]+');
  return new RegExp(`^${pattern}$`).test(pathname) && (mark === '' ? marked.length === 0 : marked.includes(mark));
}

function hasRequired(model: ServiceModel, { input }: OperationModel, { url, headers }: WireRequest): boolean {
  const { members = {}, required = [] } = input === undefined ? {} : shapeNamed(model, input.shape);
  const { searchParams } = new URL(url, 'https://s3');
  return required.every((name) => {
    const { location, locationName = name } = members[name] ?? {};
    if (location === 'querystring') return searchParams.has(locationName);
    return location !== 'header' || headers[locationName.toLowerCase()] !== undefined;
  });
}

function xmlErrorOf(answer: HttpAnswer): DecodedError | { unreadable: string } {
  try {
    const { name, children } = parseXml(answer.body.toString());
    const code = children.find((child) => child.name === 'Code')?.text;
    if (name !== 'Error' || code === undefined) return { unreadable: 'the body is no Error with a Code' };
    return { code, status: answer.status, fields: {} };
  } catch (error) {
    return { unreadable: `the body is no XML: ${String(error)}` };
  }
}
