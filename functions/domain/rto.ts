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
  const observedUntilMs = sorted.at(-1)?.startedAtMs ?? Number.NaN;
  const lasting = lastingSuccesses(sorted, observedUntilMs);
  const found: Outage[] = [];
  let outage: Outage | undefined;
  for (const operation of sorted) {
    if (!outage && !operation.ok) {
      outage = { firstFailureAtMs: operation.startedAtMs };
      found.push(outage);
    } else if (outage && lasting.has(operation)) {
      outage.recoveredAtMs = operation.endedAtMs;
      outage = undefined;
    }
  }
  return found;
}

/** From the last operation back, so that each needs to know only the next failure after it. */
function lastingSuccesses(sorted: readonly Operation[], observedUntilMs: number): Set<Operation> {
  const lasting = new Set<Operation>();
  let nextFailureAtMs = Number.POSITIVE_INFINITY;
  for (const operation of sorted.toReversed()) {
    const untilMs = operation.startedAtMs + LASTING_MS;
    if (!operation.ok) nextFailureAtMs = operation.startedAtMs;
    else if (untilMs <= observedUntilMs && untilMs < nextFailureAtMs) lasting.add(operation);
  }
  return lasting;
}

/** Those that lasted into a fault that may have begun at `faultAtMs`: what was over before is none of its doing. */
function fromFaultOn(found: readonly Outage[], faultAtMs: number): Outage[] {
  return found.filter(({ recoveredAtMs = Infinity }) => recoveredAtMs > faultAtMs);
}

/**
 * The outage that counts for a fault: the longest from it on, one without an end before all others.
 *
 * @returns undefined when the client did not suffer from the fault on
 */
export function worstOutage(found: readonly Outage[], faultAtMs: number): Outage | undefined {
  const lengthMs = ({ firstFailureAtMs, recoveredAtMs = Infinity }: Outage) => recoveredAtMs - firstFailureAtMs;
  return fromFaultOn(found, faultAtMs).reduce<Outage | undefined>(
    (worst, next) => (worst && lengthMs(worst) >= lengthMs(next) ? worst : next),
    undefined,
  );
}

/** First failed operation to first lasting success, seconds; undefined without an outage or without its end. */
export function rtoSeconds(outage: Outage | undefined): number | undefined {
  if (outage?.recoveredAtMs === undefined) return undefined;
  return Math.round(outage.recoveredAtMs - outage.firstFailureAtMs) / 1000;
}

/** All outages from the fault on together, seconds; undefined without one, or when one did not end. */
export function unavailableSeconds(found: readonly Outage[], faultAtMs: number): number | undefined {
  const lengths = fromFaultOn(found, faultAtMs).map(rtoSeconds);
  if (lengths.length === 0 || lengths.includes(undefined)) return undefined;
  return Math.round(lengths.reduce<number>((sum, length = 0) => sum + length * 1000, 0)) / 1000;
}
