import type * as z from 'zod';
import type { FieldError } from './problem.ts';

/** What the fields at and below a place of the payload may hold; the keys are paths from there, without positions. */
export interface Allowed {
  words: Readonly<Record<string, string>>;
  /** Fields at the place itself. */
  known: readonly string[];
}

/** A validator's issues as fields of the payload, each with what it may hold. `prefix` is where the value stands. */
export function fieldErrors(error: z.ZodError | undefined, prefix: readonly string[], allowed: Allowed): FieldError[] {
  return (error?.issues ?? []).flatMap(meantIssues).flatMap((issue) => {
    const below = issue.path.map(String);
    const field = [...prefix, ...below].join('.');
    if (issue.code !== 'unrecognized_keys') {
      return [{ field, message: messageOf(issue), allowed: wordsFor(below, allowed) }];
    }
    return issue.keys.map((key) => ({
      field: [...prefix, ...below, key].join('.'),
      message: 'is not a known field',
      allowed: `one of ${fieldsAt(below, allowed).join(', ')}`,
    }));
  });
}

/** Of a value that may be a text or an object, what is wrong with the one that it is: not that it is not the other. */
function meantIssues(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const isOther = ({ code, path }: z.core.$ZodIssue) => code === 'invalid_type' && path.length === 0;
  const [meant, ...more] = issue.errors.filter((issues) => !issues.some(isOther));
  if (!meant || more.length > 0) return [issue];
  return meant.flatMap((each) => meantIssues({ ...each, path: [...issue.path, ...each.path] }));
}
/** Without what `allowed` says already. */
function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return 'is none of these';
  return issue.code === 'invalid_type' && issue.message.endsWith('received undefined') ? 'is missing' : issue.message;
}

function wordsFor(path: readonly string[], { words }: Allowed): string {
  return words[withoutPositions(path)] ?? 'see the documentation';
}

function fieldsAt(path: readonly string[], { words, known }: Allowed): readonly string[] {
  if (path.length === 0) return known;
  const start = `${withoutPositions(path)}.`;
  const below = Object.keys(words).flatMap((field) => (field.startsWith(start) ? [field.slice(start.length)] : []));
  return below.filter((field) => !field.includes('.'));
}

function withoutPositions(path: readonly string[]): string {
  return path.filter((part) => !/^\d+$/.test(part)).join('.');
}
