import type { Clock } from '../domain/clock.ts';
import { isExperimentId } from '../domain/contract.ts';
import { inspectLog } from '../domain/hash-chain.ts';
import { log } from '../runtime/log.ts';
import type { AuditIndex, AuditKey } from '../tables/audit-index.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import type { Cursors } from '../tables/cursors.ts';
import { writtenBetween } from './written-between.ts';

/** So late the index may be. */
const INDEX_LAG_MS = 60_000;
/** By then every experiment has its verdict, one whose execution died as well. */
export const ENDED_AFTER_MS = 2 * 3_600_000;
/** Of one run; what is left is the next one's. */
const MAX_LOGS = 5_000;
const MAX_RUN_MS = 240_000;

export interface VerifyDependencies {
  index: Pick<AuditIndex, 'find'>;
  audit: Pick<AuditLog, 'readUnparsed'>;
  cursors: Pick<Cursors, 'read' | 'write'>;
  /** Says how many logs are broken, also that none is. */
  tell(broken: number): Promise<void>;
  clock: Clock;
}

export interface Verification {
  verified: number;
  broken: { experimentId: string; problem: string }[];
  /** ISO 8601: what was written before is done. */
  upTo: string;
}

/**
 * Each log must be an unbroken chain: that of every experiment that ended since the last run, and every other log that was
 * written to (kill switches, schedules, refusals), oldest first. Every experiment that was admitted must have ended. The cursor
 * moves only over what was looked at, and nothing is told of a run that failed: then the alarm over missing runs speaks.
 * @throws the store's error
 */
export async function verifyAudit({ index, audit, cursors, tell, clock }: VerifyDependencies): Promise<Verification> {
  const startedMs = clock.monotonicMs();
  const until = isoOf(clock.nowEpochMs() - INDEX_LAG_MS);
  const from = (await cursors.read('verified')) ?? isoOf(0);
  const due = await logsDue(from, until, index);
  const broken: Verification['broken'] = [];
  const seen = new Set<string>();
  // Several may have ended in the same millisecond: the next run begins with the last one once more.
  let upTo = due.length < MAX_LOGS ? until : (due.at(-1)?.at ?? until);
  for (const { experimentId, at } of due) {
    if (clock.monotonicMs() - startedMs > MAX_RUN_MS) {
      upTo = at;
      break;
    }
    // A rollback that is tried again is concluded again, and a switch is turned twice.
    if (seen.has(experimentId)) continue;
    seen.add(experimentId);
    const problem = problemOf(experimentId, await audit.readUnparsed(experimentId));
    if (problem !== undefined) broken.push({ experimentId, problem });
  }
  broken.push(...(await neverEnded(from, upTo, index)));
  for (const each of broken) log.error('a log is broken', each);
  await tell(broken.length);
  await cursors.write('verified', upTo);
  return { verified: seen.size, broken, upTo };
}

/** What makes a log one to be looked at, oldest first. */
async function logsDue(from: string, until: string, index: VerifyDependencies['index']): Promise<AuditKey[]> {
  const written = await writtenBetween(from, until, index);
  return written
    .filter(({ type, experimentId }) => type === 'CONCLUDED' || !isExperimentId(experimentId))
    .sort((a, b) => (a.at < b.at ? -1 : 1))
    .slice(0, MAX_LOGS);
}

function problemOf(experimentId: string, entries: readonly Record<string, unknown>[]): string | undefined {
  const { brokenAtSequence, isConcluded } = inspectLog(experimentId, entries);
  if (brokenAtSequence !== undefined) return `broken at entry ${brokenAtSequence} of ${entries.length}`;
  if (isExperimentId(experimentId)) return isConcluded ? undefined : 'cut off before its verdict';
  // By the index something was written.
  return entries.length === 0 ? 'gone' : undefined;
}

/** A log that was cut off at its end is a whole chain: what gives it away is a verdict that is not there. */
async function neverEnded(
  from: string,
  upTo: string,
  index: VerifyDependencies['index'],
): Promise<Verification['broken']> {
  const [since, before] = [earlier(from), earlier(upTo)];
  const ended = new Set((await index.find('CONCLUDED', since, upTo)).map(({ experimentId }) => experimentId));
  return (await index.find('ADMITTED', since, before))
    .filter(({ experimentId }) => !ended.has(experimentId))
    .map(({ experimentId, at }) => ({ experimentId, problem: `admitted at ${at}, and without a verdict since` }));
}

function earlier(iso: string): string {
  return isoOf(Math.max(0, Date.parse(iso) - ENDED_AFTER_MS));
}

function isoOf(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
