/** One operation of a client, on one clock. */
export interface Operation {
  startedAtMs: number;
  endedAtMs: number;
  ok: boolean;
}

export interface Outage {
  firstFailureAtMs: number;
  /** End of the first lasting success; absent: it did not end while somebody looked. */
  recoveredAtMs?: number;
}

/** A success lasts when no operation that starts within this after it fails. */
export const LASTING_MS = 3000;

/**
 * The times in which a client could not rely on the store, in order. An outage goes from the start of its first failed
 * operation to the end of the first success that lasts; a success at the very end of the observation does not count as
 * lasting, because nobody saw what came after it.
 */
export function outages(operations: readonly Operation[]): Outage[] {
  const sorted = [...operations].sort((a, b) => a.startedAtMs - b.startedAtMs);
  const observedUntilMs = Math.max(...sorted.map((operation) => operation.startedAtMs));
  const found: Outage[] = [];
  for (let index = 0; index < sorted.length; index++) {
    const failure = sorted[index];
    if (!failure || failure.ok) continue;
    const end = sorted.findIndex((success, at) => at > index && success.ok && lasts(success, sorted, observedUntilMs));
    const recovered = sorted[end];
    if (!recovered) return [...found, { firstFailureAtMs: failure.startedAtMs }];
    found.push({ firstFailureAtMs: failure.startedAtMs, recoveredAtMs: recovered.endedAtMs });
    index = end;
  }
  return found;
}

/**
 * The outage that counts for a fault that may have begun at `faultAtMs`: the longest that lasted into it, one without
 * an end before all others. What was over before the fault is none of its doing.
 *
 * @returns undefined when the client did not suffer from the fault on
 */
export function worstOutage(found: readonly Outage[], faultAtMs: number): Outage | undefined {
  const lengthMs = ({ firstFailureAtMs, recoveredAtMs = Infinity }: Outage) => recoveredAtMs - firstFailureAtMs;
  return found
    .filter(({ recoveredAtMs = Infinity }) => recoveredAtMs > faultAtMs)
    .reduce<Outage | undefined>(
      (worst, next) => (worst && lengthMs(worst) >= lengthMs(next) ? worst : next),
      undefined,
    );
}

/** First failed operation to first lasting success, seconds; undefined without an outage or without its end. */
export function rtoSeconds(outage: Outage | undefined): number | undefined {
  if (outage?.recoveredAtMs === undefined) return undefined;
  return Math.round(outage.recoveredAtMs - outage.firstFailureAtMs) / 1000;
}

function lasts(success: Operation, sorted: readonly Operation[], observedUntilMs: number): boolean {
  const untilMs = success.startedAtMs + LASTING_MS;
  if (observedUntilMs < untilMs) return false;
  return sorted.every(({ ok, startedAtMs }) => ok || startedAtMs <= success.startedAtMs || startedAtMs > untilMs);
}
