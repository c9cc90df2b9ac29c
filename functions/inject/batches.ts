import type { Experiment, Fault } from '../domain/experiment.ts';
import { isFisFaultKind } from '../domain/faults/catalogue.ts';
import type { Injection } from '../domain/workflow.ts';

/**
 * The faults that one call of *Inject fault* injects: those that are due, of hosts or of FIS but never both; and
 * what was missed meanwhile.
 */
export interface InjectionBatch {
  faults: Fault[];
  /** Longest life of these faults, whole seconds: what remains until the common end, rounded down. */
  ttlSeconds: number;
  /** Due, but with less than a second left: not injected. Then nothing else is either. */
  late: Fault[];
}

/**
 * Which faults are next. The first batch: those with the smallest `startSeconds`. A later one: those that are due by now,
 * or, called a little early, those that are due first. Of these the ones that FIS applies come first, in a batch of
 * their own: it may refuse, which must not come after hosts were changed, and it may take a minute, which would be
 * missing from the hosts' TTL. Pure.
 *
 * @param injection what the batches before have injected; undefined: nothing yet
 * @returns a batch without faults when all are injected or too late
 */
export function nextBatch(
  experiment: Experiment,
  injection: Injection | undefined,
  nowEpochMs: number,
): InjectionBatch {
  const { faults, durationSeconds } = experiment;
  if (!injection) {
    const first = firstStartSeconds(faults);
    const due = faults.filter(({ startSeconds }) => startSeconds === first);
    return { faults: fisFirst(due), ttlSeconds: durationSeconds, late: [] };
  }
  const remaining = notInjected(faults, injection);
  const atMs = Math.max(nowEpochMs, nextDueAtEpochMs(faults, injection) ?? nowEpochMs);
  const ttlSeconds = Math.floor((Date.parse(injection.endsAt) - atMs) / 1000);
  // Time only runs out further: what comes later is too late as well.
  if (!(ttlSeconds >= 1)) return { faults: [], ttlSeconds: 0, late: remaining };
  const due = remaining.filter((fault) => dueAtEpochMs(fault, faults, injection) <= atMs);
  return { faults: fisFirst(due), ttlSeconds, late: [] };
}

function fisFirst(due: Fault[]): Fault[] {
  const inFis = due.filter(({ kind }) => isFisFaultKind(kind));
  return inFis.length > 0 ? inFis : due;
}

/** When the next faults are due, milliseconds since the epoch; undefined when all are injected. */
export function nextDueAtEpochMs(faults: readonly Fault[], injection: Injection): number | undefined {
  const dueMs = notInjected(faults, injection).map((fault) => dueAtEpochMs(fault, faults, injection));
  return dueMs.length === 0 ? undefined : Math.min(...dueMs);
}

/** Planned seconds count from the moment in which the first faults were confirmed. */
function dueAtEpochMs({ startSeconds }: Fault, faults: readonly Fault[], { injectedAt }: Injection): number {
  return Date.parse(injectedAt) + (startSeconds - firstStartSeconds(faults)) * 1000;
}

function firstStartSeconds(faults: readonly Fault[]): number {
  return Math.min(...faults.map(({ startSeconds }) => startSeconds));
}

function notInjected(faults: readonly Fault[], { injectedFaults }: Injection): Fault[] {
  return faults.filter(({ faultId }) => !injectedFaults.includes(faultId));
}
