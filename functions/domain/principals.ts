import * as z from 'zod';
import type { Closing } from './closing.ts';
import { FAULT_KINDS } from './faults/catalogue.ts';
import type { FieldError } from './problem.ts';
import { TTL_SECONDS } from './timing.ts';
import { openUntil, windowSchema, windowText } from './window.ts';

/** Who may start what: one row a principal or pattern. What a row leaves out it does not restrict. */
const rowSchema = z.strictObject({
  /** The ARN of a user or role, as in `apiPrincipals`, or of a session, or `schedule/<name>`; `*` and `?` as IAM's ArnLike. */
  principal: z
    .string()
    .regex(/^(arn:[^:]+:(iam|sts)::[^:]*:.+|schedule\/.+)$/, 'the ARN of a user, a role or a session, or schedule/NAME')
    .refine(isTellable, 'a role with a path needs its whole name: the ARN of a session does not show the path'),
  clusters: z.array(z.string()).min(1).optional(),
  faults: z.array(z.enum(FAULT_KINDS)).min(1).optional(),
  /** Seconds. */
  maxTtlSeconds: z.int().min(TTL_SECONDS.min).max(TTL_SECONDS.max).optional(),
  /** In which an experiment has to begin and to end. */
  window: windowSchema.optional(),
});
export const principalsSchema = z.array(rowSchema).min(1);
export type PrincipalRow = z.output<typeof rowSchema>;

/** What somebody wants to start on one cluster. */
export interface Wish {
  /** As IAM authenticated it, or `schedule/<name>`. */
  arn: string;
  cluster: string;
  kinds: readonly string[];
  durationSeconds: number;
  /** From now until the fault is there, at the longest. */
  beginsWithinSeconds: number;
  nowEpochMs: number;
}

/**
 * What of it the principal may not, each with the field that says it and what is allowed; empty: he may. One row must allow all
 * of it: rows do not add up. Of several rows that are his, the one that he is nearest to speaks.
 */
export function refuseByRights(table: readonly PrincipalRow[] | undefined, wish: Wish): FieldError[] {
  if (table === undefined) return [];
  const own = table.filter(({ principal }) => isPrincipal(wish.arn, principal));
  if (own.length === 0) {
    const allowed = table.map(({ principal }) => principal).join(', ');
    return [{ field: 'principal', message: `${wish.arn} matches no row of principals`, allowed }];
  }
  const refusals = own.map((row) => refuseByRow(row, wish)).sort((a, b) => a.length - b.length);
  return refusals[0] ?? [];
}

/** When the rows that allow it no longer do; of several the last one counts. Undefined: one of them names no hours. */
export function hoursOf(table: readonly PrincipalRow[] | undefined, wish: Wish): Closing | undefined {
  if (table === undefined) return undefined;
  const allowing = table.filter((row) => isPrincipal(wish.arn, row.principal) && refuseByRow(row, wish).length === 0);
  const untilMs = Math.max(0, ...allowing.map((row) => closingOf(row, wish)));
  if (untilMs === Number.POSITIVE_INFINITY) return undefined;
  return { at: new Date(untilMs).toISOString(), what: `the window of ${wish.arn}` };
}

/** Milliseconds since the epoch; 0: it is closed. */
function closingOf({ window }: PrincipalRow, { nowEpochMs }: Wish): number {
  return window ? (openUntil(window, nowEpochMs) ?? 0) : Number.POSITIVE_INFINITY;
}

function refuseByRow(row: PrincipalRow, wish: Wish): FieldError[] {
  const { clusters, faults, maxTtlSeconds, window } = row;
  const { arn, cluster, kinds, durationSeconds, beginsWithinSeconds, nowEpochMs } = wish;
  const errors: FieldError[] = [];
  if (clusters && !clusters.includes(cluster)) {
    errors.push({ field: 'targetService', message: `${cluster} is not for ${arn}`, allowed: clusters.join(', ') });
  }
  for (const kind of new Set(kinds)) {
    if (!faults || faults.some((each) => each === kind)) continue;
    errors.push({ field: 'action', message: `${kind} is not for ${arn}`, allowed: faults.join(', ') });
  }
  if (maxTtlSeconds !== undefined && durationSeconds > maxTtlSeconds) {
    const message = `${durationSeconds} is too long for ${arn}`;
    errors.push({ field: 'durationSeconds', message, allowed: `at most ${maxTtlSeconds}` });
  }
  const closesAtMs = closingOf(row, wish);
  const neededSeconds = beginsWithinSeconds + durationSeconds;
  if (window && closesAtMs < nowEpochMs + neededSeconds * 1000) {
    const message =
      closesAtMs === 0
        ? `these are not the hours of ${arn}`
        : `the hours of ${arn} end at ${new Date(closesAtMs).toISOString()}, and the fault may live for the next ${neededSeconds} s`;
    errors.push({ field: 'window', message, allowed: windowText(window) });
  }
  return errors;
}

const SESSION = /^arn:([^:]+):sts::([^:]*):assumed-role\/([^/]+)\/.+$/;
const ROLE_PATH = /^(arn:[^:]+:iam::[^:]*:role\/)(?:.*\/)?/;

/** A wildcard in a name without its path would be for roles of every path, unless nobody else can make roles of such names. */
function isTellable(principal: string): boolean {
  const [, path, name = ''] = /^arn:[^:]+:iam::[^:]*:role\/(.*\/)?(.*)$/.exec(principal) ?? [];
  return path === undefined || !/[*?]/.test(path + name) || name.startsWith('AWSReservedSSO_');
}

/**
 * Whether this is the principal, or one of the pattern; `*` and `?` as IAM's ArnLike.
 * @param arn as IAM authenticated it
 *
 * A session is that of its role; the ARN of a session does not show the path of its role, whose name is unique without.
 */
export function isPrincipal(arn: string, pattern: string): boolean {
  const [, partition, account, role] = SESSION.exec(arn) ?? [];
  if (arnLike(arn, pattern)) return true;
  return (
    role !== undefined && arnLike(`arn:${partition}:iam::${account}:role/${role}`, pattern.replace(ROLE_PATH, '$1'))
  );
}

/** As IAM's ArnLike: a wildcard does not reach over a colon of the first five parts. */
function arnLike(arn: string, pattern: string): boolean {
  const [parts, patterns] = [partsOf(arn), partsOf(pattern)];
  return parts.length === patterns.length && parts.every((part, index) => matches(part, patterns[index] ?? ''));
}

function partsOf(arn: string): string[] {
  const parts = arn.split(':');
  return [...parts.slice(0, 5), parts.slice(5).join(':')];
}

function matches(text: string, pattern: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^]*')
    .replaceAll('?', '[^]');
  return new RegExp(`^${source}$`).test(text);
}
