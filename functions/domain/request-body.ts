import { MAX_BODY_BYTES } from './contract.ts';
import { type FieldError, type Problem, problem } from './problem.ts';
import { readStrictJson } from './strict-json.ts';

export type RequestBody = { ok: true; value: Record<string, unknown> } | { ok: false; problem: Problem };

/** The body of any request: one JSON object of bounded size, or why it is none. */
export function readBody(body: string): RequestBody {
  const bytes = Buffer.byteLength(body);
  if (bytes > MAX_BODY_BYTES) {
    return { ok: false, problem: problem('body-too-large', `the body has ${bytes} bytes`) };
  }
  const json = readStrictJson(body);
  return json.ok ? json : { ok: false, problem: invalidRequest(json.errors) };
}

/** Says every field that is wrong. */
export function invalidRequest(errors: readonly FieldError[]): Problem {
  const fields = errors.map(({ field }) => field).join(', ');
  return problem('invalid-request', `not valid: ${fields}`, { errors });
}
