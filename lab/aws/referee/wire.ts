import type { HttpAnswer, WireRequest } from '../protocol/http.ts';
import type { OperationModel, ServiceModel } from './model.ts';

/** A message as the model describes it, or why it cannot be read as one. */
export type Decoded = { value: unknown } | { unreadable: string };

export interface DecodedError {
  /** As clients look it up. */
  code: string;
  status: number;
  /** Beside code and message. */
  fields: Record<string, unknown>;
}

/** One of AWS's protocols, as far as the referee reads it. */
export interface WireProtocol {
  /** undefined: the request is for no operation of the model. */
  operationOf(model: ServiceModel, request: WireRequest): OperationModel | undefined;
  input(model: ServiceModel, operation: OperationModel, request: WireRequest): Decoded;
  output(model: ServiceModel, operation: OperationModel, answer: HttpAnswer): Decoded;
  error(answer: HttpAnswer): DecodedError | { unreadable: string };
}

/** What a message holds under no name of a member: marked, since a member may bear that name elsewhere. */
export function unknownName(name: string): string {
  return `'${name}'`;
}

export function parseJson(text: string): Decoded {
  try {
    return { value: JSON.parse(text === '' ? '{}' : text) };
  } catch {
    return { unreadable: 'the body is no JSON' };
  }
}

/** Both JSON protocols name an error in the header or in `__type`, perhaps with a prefix or a URI. */
export function jsonErrorOf(answer: HttpAnswer): DecodedError | { unreadable: string } {
  const body = parseJson(answer.body.toString());
  if ('unreadable' in body) return body;
  const { __type, message, Message, ...fields } = Object(body.value);
  const [code = ''] = String(answer.headers['x-amzn-errortype'] ?? __type ?? '').split(':');
  return { code: code.replace(/^.*#/, ''), status: answer.status, fields };
}
