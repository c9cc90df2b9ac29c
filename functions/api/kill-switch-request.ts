import * as z from 'zod';
import { fieldErrors } from '../domain/field-errors.ts';
import { SWITCH_REASON_ALLOWED, switchReason } from '../domain/kill-switch.ts';
import { readBody } from '../domain/request-body.ts';
import { type Answer, invalid, refusal } from './answer.ts';

type Parsed<T> = { ok: true; value: T } | { ok: false; answer: Answer };

const bodySchema = z.strictObject({ reason: switchReason });

/** Of a body `{ "reason": … }`: whoever engages a switch says why. */
export function reasonOfBody(body: string): Parsed<string> {
  const json = readBody(body);
  if (!json.ok) return { ok: false, answer: refusal(json.problem) };
  const parsed = bodySchema.safeParse(json.value);
  if (parsed.success) return { ok: true, value: parsed.data.reason };
  const allowed = { words: { reason: SWITCH_REASON_ALLOWED }, known: ['reason'] };
  return { ok: false, answer: invalid(fieldErrors(parsed.error, [], allowed)) };
}

/** Of a query: a DELETE has no body that means anything. */
export function reasonOfQuery(reason: string | undefined): Parsed<string> {
  const parsed = switchReason.safeParse(reason);
  if (parsed.success) return { ok: true, value: parsed.data };
  const message = reason === undefined ? 'is missing' : 'is no reason';
  return { ok: false, answer: invalid([{ field: 'reason', message, allowed: SWITCH_REASON_ALLOWED }]) };
}
