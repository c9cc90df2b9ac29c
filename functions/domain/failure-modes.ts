import { type AuditEntry, isEntryOf, lastOf } from './audit-entry.ts';
import { evidenceOf, type ShardEvidence } from './evidence.ts';
import type { Fault, ProbeChoices } from './experiment.ts';
import { isSameShard } from './probed-shards.ts';
import { endingMsOf } from './rollback-time.ts';
import { stateOf } from './status.ts';
import type { CheckVerdict, Finding, Reading, RecoveryPhase } from './workflow.ts';

/** What a finished run shows of one cluster. */
export interface RunFacts {
  faults: readonly Fault[];
  /** How the probe wrote, where the experiment says so. */
  choices: ProbeChoices;
  /** Only what counts as evidence. */
  shards: readonly ShownShard[];
  /** What became of its checks. */
  checks: readonly CheckVerdict[];
  /** What the guard ended the run for. */
  breaches: readonly Reading[];
  /** When the faults began to end, in milliseconds since the epoch. */
  endingMs: number;
}

export interface ShownShard extends ShardEvidence {
  failedWrites: number;
  phases: readonly RecoveryPhase[];
}

/** A known way to fail, by what shows it, with the setting that addresses it. */
export interface FailureMode {
  /** In the field's words. */
  name: string;
  /** The number that shows it, or undefined. */
  shownBy(facts: RunFacts): Pick<Finding, 'measure' | 'value' | 'unit'> | undefined;
  setting: string;
}

/** Whatever the store: requests of one that is slow take the workers of all. */
const POOL_SATURATION: FailureMode = {
  name: 'thread pool saturation',
  shownBy: ({ breaches }) => {
    const free = breaches.find(({ guardrail, value }) => guardrail === 'freeWorkersPct' && value !== undefined);
    return free?.value === undefined ? undefined : { measure: free.guardrail, value: free.value, unit: free.unit };
  },
  setting: 'a bulkhead: a bounded pool of workers for each store, and a circuit breaker in front of it',
};

/** The sum over all shards, where it is more than 0. */
export function shownBySum(
  measure: 'lostAcknowledgedWrites' | 'overwrittenWrites' | 'resurrectedWrites' | 'failedWrites',
  { shards }: Pick<RunFacts, 'shards'>,
): ReturnType<FailureMode['shownBy']> {
  const value = shards.reduce((sum, shard) => sum + (shard[measure] ?? 0), 0);
  return value > 0 ? { measure, value, unit: 'writes' } : undefined;
}

/**
 * A node that stood still and woke, and the store moved its roles more than once: as a check of the experiment measured.
 *
 * @param measure of the engine's health: how often roles moved
 */
export function shownByFlapping(
  measure: string,
  { faults, checks }: Pick<RunFacts, 'faults' | 'checks'>,
): ReturnType<FailureMode['shownBy']> {
  if (!faults.some(({ kind }) => kind === 'PROCESS_PAUSE')) return undefined;
  const own = checks.filter((check) => check.measure === measure && check.result === 'FAILED');
  const worst = own.find(({ measured = 0 }) => measured > 1);
  return worst?.measured === undefined ? undefined : { measure, value: worst.measured, unit: worst.unit };
}

/**
 * Roles that had to move and did not, while writes failed: as a check of the experiment measured.
 *
 * @param measure of the engine's health: how often roles moved
 */
export function shownByNoElection(
  measure: string,
  { shards, checks }: Pick<RunFacts, 'shards' | 'checks'>,
): ReturnType<FailureMode['shownBy']> {
  const none = checks.find(
    (check) =>
      check.measure === measure &&
      check.result === 'FAILED' &&
      check.measured === 0 &&
      (check.tolerance.atLeast ?? 0) >= 1,
  );
  return none && shownBySum('failedWrites', { shards }) ? { measure, value: 0, unit: none.unit } : undefined;
}

/**
 * Another leader was there while the fault lived, and a client that was without one stayed so until its end: the worst shard.
 *
 * @param toleratedSeconds that a client may take to find out
 */
export function shownByLateClients(
  { shards, endingMs }: Pick<RunFacts, 'shards' | 'endingMs'>,
  toleratedSeconds: number,
): ReturnType<FailureMode['shownBy']> {
  const late = shards.flatMap(({ phases, rtoSeconds }) => {
    const atMs = (name: RecoveryPhase['phase']) => Date.parse(phases.find(({ phase }) => phase === name)?.at ?? '');
    const [electedMs, recoveredMs] = [atMs('ELECTED'), atMs('CLIENTS_RECOVERED')];
    // An outage that the end of the fault began is another one.
    const waitedFromMs = Math.max(electedMs, recoveredMs - (rtoSeconds ?? Number.NaN) * 1000);
    const isLate = recoveredMs >= endingMs && endingMs - waitedFromMs > toleratedSeconds * 1000;
    return isLate ? [(recoveredMs - waitedFromMs) / 1000] : [];
  });
  if (late.length === 0) return undefined;
  return { measure: 'secondsFromElectionToClients', value: Math.max(...late), unit: 's' };
}

/**
 * The known failure modes that a finished run shows, each with its number and what to set: none is guessed, a number that
 * nobody measured shows nothing.
 *
 * @param checks as they were judged
 * @param modesOf those of the engine of a cluster
 */
export function findingsOf(
  entries: readonly AuditEntry[],
  checks: readonly CheckVerdict[],
  modesOf: (cluster: string) => readonly FailureMode[],
): Finding[] {
  const { experiment } = stateOf(entries);
  if (!experiment) return [];
  const evidence = evidenceOf(entries);
  const breaches = lastOf(entries, 'GUARD_STOPPED')?.breaches ?? [];
  const clusters = [...new Set(experiment.faults.map(({ cluster }) => cluster))];
  return clusters.flatMap((cluster) => {
    const facts: RunFacts = {
      faults: experiment.faults.filter((fault) => fault.cluster === cluster),
      choices: experiment.probe ?? {},
      shards: evidence
        .filter((shard) => shard.cluster === cluster && shard.problem === undefined)
        .map((shard) => ({ ...shard, ...measuredOf(shard, entries) })),
      checks: checks.filter((check) => check.cluster === cluster),
      breaches: breaches.filter((reading) => reading.cluster === cluster),
      endingMs: endingMsOf(entries),
    };
    return [...modesOf(cluster), POOL_SATURATION].flatMap(({ name, shownBy, setting }) => {
      const shown = shownBy(facts);
      return shown ? [{ cluster, failureMode: name, ...shown, setting }] : [];
    });
  });
}

function measuredOf(shard: ShardEvidence, entries: readonly AuditEntry[]): Pick<ShownShard, 'failedWrites' | 'phases'> {
  const measured = entries.findLast((entry) => isEntryOf(entry, 'PROBE_MEASURED') && isSameShard(entry.details, shard));
  if (measured?.type !== 'PROBE_MEASURED') return { failedWrites: 0, phases: [] };
  const { failedWrites, phases = [] } = measured.details;
  return { failedWrites, phases };
}
