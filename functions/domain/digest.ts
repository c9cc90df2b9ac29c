import { createHash } from 'node:crypto';

/** SHA-256 of UTF-8 text, as bytes: every digest of the control plane is made here. */
export function sha256(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}

export function sha256Hex(text: string): string {
  return sha256(text).toString('hex');
}

/**
 * JSON with sorted keys and without `undefined`, so that the same value always gives the same text, whatever the order
 * in which its fields were written. Values that JSON cannot carry become what JSON makes of them (`NaN` → `null`).
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(asJson(value)));
}

/** In which order EC2 and a resolver list things says nothing: lists are sorted by their canonical JSON. */
export function withoutOrder(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(withoutOrder).sort((a, b) => (canonicalJson(a) < canonicalJson(b) ? -1 : 1));
  }
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutOrder(inner)]));
}

/** What will be read back after the value was stored as JSON. */
export function asJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  // `fromEntries` defines fields, so that a key like `__proto__` stays a key.
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
