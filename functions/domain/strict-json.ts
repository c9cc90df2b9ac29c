import { cut } from './limits.ts';
import type { FieldError } from './problem.ts';

/** Deeper than any field of the API. */
export const MAX_DEPTH = 16;
/** A double keeps so many digits of any number; of more it keeps others than were sent. */
const MAX_DIGITS = 15;
const MAX_NUMBER_CHARACTERS = 40;
const MAX_ERRORS = 20;
const MAX_FIELD_CHARACTERS = 200;
const BYTE_ORDER_MARK = '\uFEFF';

export type StrictJson = { ok: true; value: Record<string, unknown> } | { ok: false; errors: FieldError[] };

/**
 * Reads a JSON object, and refuses what two readers could take for two different things: a name given twice or written
 * with an escape, a number that a double cannot keep. `JSON.parse` knows the grammar, so all that is left is one pass over the tokens: parsers
 * that tell of names given twice call themselves for each level of nesting, and this text is a stranger's.
 */
export function readStrictJson(text: string): StrictJson {
  const refused = (message: string): StrictJson => ({
    ok: false,
    errors: [{ field: '(body)', message, allowed: 'one JSON object' }],
  });
  if (text.startsWith(BYTE_ORDER_MARK)) return refused('begins with a byte order mark');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return refused(`is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isRecord(value)) return refused('is not an object');
  const errors = ambiguities(text);
  return errors.length > 0 ? { ok: false, errors } : { ok: true, value };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object or an array that is open at some place of the text; `at` is the name or the position being read there. */
interface Open {
  names?: Set<string>;
  at?: string | number | undefined;
}

const TOKEN = /"(?:[^"\\]+|\\.)*"|[[\]{},]|-?\d[\d.eE+-]*/g;

/** @param text valid JSON */
function ambiguities(text: string): FieldError[] {
  const open: Open[] = [];
  const errors: FieldError[] = [];
  const note = (message: string, allowed: string) => {
    const field = open.flatMap(({ at }) => at ?? []).join('.') || '(body)';
    errors.push({ field: cut(field, MAX_FIELD_CHARACTERS).toWellFormed(), message, allowed });
  };
  for (const [token] of text.matchAll(TOKEN)) {
    if (errors.length >= MAX_ERRORS) break;
    const here = open.at(-1);
    if (token === '{' || token === '[') {
      if (open.length >= MAX_DEPTH) {
        note('is nested too deep', `at most ${MAX_DEPTH} objects and arrays inside each other`);
        break;
      }
      open.push(token === '{' ? { names: new Set() } : { at: 0 });
    } else if (token === '}' || token === ']') open.pop();
    else if (token === ',') nextIn(here);
    else if (token.startsWith('"')) noteString(token, here, note);
    else if (!isKept(token)) {
      note(
        'is a number that would not be kept as it was sent',
        `at most ${MAX_DIGITS} digits, and no further from 0 than ${Number.MAX_SAFE_INTEGER}`,
      );
    }
  }
  return errors;
}

function nextIn(here: Open | undefined): void {
  if (here) here.at = typeof here.at === 'number' ? here.at + 1 : undefined;
}

function noteString(token: string, here: Open | undefined, note: (message: string, allowed: string) => void): void {
  const text: string = JSON.parse(token);
  if (here?.names && here.at === undefined) {
    here.at = text;
    // V8 13.6 (Node 24) now and then reads such a name as another one that it has seen before.
    if (token.includes('\\')) note('is a name that is written with an escape', 'names in plain characters');
    if (here.names.has(text)) note('is given twice', 'each name once');
    here.names.add(text);
    // Validators skip this one name, so it would be the only unknown field that is let through.
    if (text === '__proto__') note('is not a known field', 'another name');
  }
  if (!text.isWellFormed()) note('holds half of a surrogate pair', 'Unicode text');
}

function isKept(token: string): boolean {
  if (token.length > MAX_NUMBER_CHARACTERS) return false;
  const digits = token
    .replace(/[eE].*/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+|0+$/g, '');
  const value = Number(token);
  const vanishes = value === 0 && digits !== '';
  return digits.length <= MAX_DIGITS && Math.abs(value) <= Number.MAX_SAFE_INTEGER && !vanishes;
}
