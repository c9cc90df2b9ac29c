import type { Clock } from './clock.ts';
import { MAX_LATENCY_MS } from './measures.ts';
import type { LatencySummary } from './workflow.ts';

/** One operation of an open loop. Milliseconds of one clock. */
export interface TimedOperation {
  /** When it was due: a client that had to wait for its turn has waited. */
  dueMs: number;
  /** Absent while it is under way. */
  endedMs?: number;
  /** Whether it did what it was for; without meaning while it is under way. */
  ok: boolean;
}

/**
 * Starts operations that are due at whole intervals from now on, whatever became of those before: what is late is
 * started at once. Ends when it is told to.
 */
export async function openLoop(
  intervalMs: number,
  { clock, stop }: { clock: Clock; stop: AbortSignal },
  start: (number: number, dueMs: number) => void,
): Promise<void> {
  const firstMs = clock.monotonicMs();
  for (let number = 1; !stop.aborted; number++) {
    const dueMs = firstMs + (number - 1) * intervalMs;
    // A timer knows whole milliseconds: half of one early is nearer than half of one late.
    for (let wait = dueMs - clock.monotonicMs(); wait > 0.5; wait = dueMs - clock.monotonicMs()) {
      await clock.sleep(Math.round(wait));
    }
    if (!stop.aborted) start(number, Math.min(dueMs, clock.monotonicMs()));
  }
}

/** From when it was due to its end, or until now; of one that failed the longest there is. Milliseconds. */
export function latencyMs({ dueMs, endedMs, ok }: TimedOperation, nowMs = Number.NaN): number {
  if (endedMs !== undefined && !ok) return MAX_LATENCY_MS;
  return Math.min(Math.max((endedMs ?? nowMs) - dueMs, 0), MAX_LATENCY_MS);
}

/** The smallest of them that is not below this share of all (nearest rank); undefined of none. */
export function quantileOf(ascending: readonly number[], quantile: number): number | undefined {
  // 0.07 × 100 is a little more than 7.
  return ascending[Math.max(0, Math.ceil(quantile * ascending.length - 1e-9) - 1)];
}

/** The operations due in this time. @param operations in the order in which they were due */
export function dueIn<T extends Pick<TimedOperation, 'dueMs'>>(
  operations: readonly T[],
  fromMs: number,
  toMs: number,
): T[] {
  return operations.slice(firstDueFrom(operations, fromMs), firstDueFrom(operations, toMs));
}

function firstDueFrom(operations: readonly Pick<TimedOperation, 'dueMs'>[], fromMs: number): number {
  let [low, high] = [0, operations.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((operations[middle]?.dueMs ?? Infinity) < fromMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Of all that were due from then on, those that failed with the longest latency there is; undefined of none. */
export function latencySummary(operations: readonly TimedOperation[], fromMs: number): LatencySummary | undefined {
  const due = dueIn(operations, fromMs, Infinity);
  const ascending = due.map((operation) => latencyMs(operation)).sort((one, other) => one - other);
  const at = (quantile: number) => roundedMs(quantileOf(ascending, quantile) ?? Number.NaN);
  if (due.length === 0) return undefined;
  const failed = due.filter(({ ok }) => !ok).length;
  return { count: due.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1), failed };
}

/** To a microsecond. */
export function roundedMs(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
