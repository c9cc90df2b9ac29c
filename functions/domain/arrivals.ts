import { type AuditEntry, isEntryOf } from './audit-entry.ts';
import type { Check } from './hypothesis.ts';
import { MAX_CLOCK_DIFFERENCE_MS } from './timing.ts';
import type { CheckVerdict } from './workflow.ts';

/** Entries that say of an alarm of that cluster that it reached us. */
export function arrivalsOf({ cluster, name }: { cluster: string; name: string }, entries: readonly AuditEntry[]) {
  return entries
    .filter((entry) => isEntryOf(entry, 'ALARM_ARRIVED'))
    .filter(({ details }) => details.cluster === cluster && details.alarm === name);
}

/** When the first fault was announced, epoch milliseconds; undefined: none was yet. */
export function announcedMsOf(entries: readonly AuditEntry[]): number | undefined {
  const announced = entries.find(({ type }) => type === 'INJECTING');
  return announced && Date.parse(announced.at);
}

/**
 * Whether the fault can be the cause: it fired after this was announced. `firedAt` is of the clock of whoever evaluates the
 * alarm, the other two are ours; as far as they may differ it counts as before. No fault acts sooner after its announcement.
 * @param firedAt ISO 8601; without it, or from the future, nobody knows
 * @param arrivedMs when it reached us, epoch milliseconds, as `announcedMs`
 */
export function firedAfter(announcedMs: number, firedAt: string | undefined, arrivedMs: number): boolean {
  const firedMs = Date.parse(firedAt ?? '');
  return firedMs > announcedMs + MAX_CLOCK_DIFFERENCE_MS && firedMs <= arrivedMs + MAX_CLOCK_DIFFERENCE_MS;
}

/**
 * Whether and when an expected alert reached us, counted from the announcement of the first fault. One that fired before
 * that, or does not say when it fired, is no evidence.
 */
export function judgeArrival(
  { cluster, measure, withinSeconds = 0 }: Check,
  entries: readonly AuditEntry[],
  announcedMs: number,
): Pick<CheckVerdict, 'result'> & Partial<CheckVerdict> {
  if (measure.kind !== 'ALARM') return { result: 'UNKNOWN', reason: 'is no expected alert' };
  const name = measure.alarm;
  const arrivals = arrivalsOf({ cluster, name }, entries);
  const isOfFault = ({ at, details }: (typeof arrivals)[number]) =>
    firedAfter(announcedMs, details.firedAt, Date.parse(at));
  const arrival = arrivals.find(isOfFault) ?? arrivals[0];
  if (!arrival) {
    // Until the end of the log it would have been written; what comes later nobody waits for.
    const seenSeconds = (Date.parse(entries.at(-1)?.at ?? '') - announcedMs) / 1000;
    if (seenSeconds >= withinSeconds) {
      return { result: 'FAILED', measured: 0, reason: `${name} did not arrive within ${withinSeconds} s` };
    }
    const reason = `${name} had ${withinSeconds} s to arrive, of which ${seenSeconds.toFixed(0)} s could be seen`;
    return { result: 'UNKNOWN', reason };
  }
  const { at: arrivedAt } = arrival;
  const afterSeconds = (Date.parse(arrivedAt) - announcedMs) / 1000;
  if (afterSeconds < 0) return { result: 'UNKNOWN', arrivedAt, reason: `${name} arrived before the fault already` };
  if (!isOfFault(arrival)) {
    const { firedAt } = arrival.details;
    const why =
      firedAt === undefined ? 'does not say when it fired' : `fired before the fault could be felt, at ${firedAt}`;
    return { result: 'UNKNOWN', arrivedAt, reason: `${name} ${why}` };
  }
  const seen = { measured: 1, heldAfterSeconds: afterSeconds, arrivedAt };
  if (afterSeconds <= withinSeconds) return { result: 'HELD', ...seen };
  return {
    result: 'FAILED',
    ...seen,
    reason: `${name} arrived after ${afterSeconds} s, not within ${withinSeconds} s`,
  };
}
