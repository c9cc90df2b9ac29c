import { type AuditEntry, type EntryDetails, isEntryOf, lastOf } from './audit-entry.ts';
import { canonicalJson, sha256Hex, withoutOrder } from './digest.ts';
import { ErrorName, WorkflowError } from './errors.ts';
import type { Experiment } from './experiment.ts';
import type { ResolvedFault, ResolvedTargets } from './targets.ts';
import type { ExperimentRun } from './workflow.ts';

/**
 * What runs is what was admitted. Whoever may start an execution or invoke a function can hand over any input; the log
 * he cannot write. So every step that acts holds its input against it, and takes from the log what it acts on.
 */

/**
 * The ADMITTED entry of exactly this experiment.
 * @param entries the log under the experiment's id
 * @throws WorkflowError NotAdmitted
 */
export function requireAdmitted(entries: readonly AuditEntry[], experiment: Experiment): EntryDetails['ADMITTED'] {
  const [admitted, ...others] = entries.flatMap((entry) => (isEntryOf(entry, 'ADMITTED') ? [entry.details] : []));
  if (!admitted) throw notAdmitted('nothing was admitted under this id');
  if (others.length > 0) throw notAdmitted('more than one experiment was admitted under this id');
  if (digestOf(experiment) !== digestOf(admitted.experiment)) throw notAdmitted('another experiment was admitted');
  return admitted;
}

/**
 * The targets of exactly this run, as the log has them.
 * @throws WorkflowError NotAdmitted when they are not those that were admitted, or nobody has resolved them since
 */
export function requireAdmittedTargets(
  entries: readonly AuditEntry[],
  { experiment, targets }: Pick<ExperimentRun, 'experiment' | 'targets'>,
): ResolvedTargets {
  const admitted = requireAdmitted(entries, experiment);
  const resolved = lastOf(entries, 'TARGETS_RESOLVED')?.targets;
  if (!resolved) throw notAdmitted('its targets were not resolved');
  if (changedNodes(admitted.facts.targets, resolved.faults).length > 0) throw notAdmitted('other nodes were admitted');
  if (!targets || digestOf(withoutOrder(targets)) !== digestOf(withoutOrder(resolved))) {
    throw notAdmitted('its targets are not those that were resolved');
  }
  return resolved;
}

/**
 * The TTL does not begin at admission: what was in time there may be too late by now.
 * @param entries the log, which says what closes and when
 * @param endsByEpochMs until when the fault may live
 * @throws WorkflowError OutsideLimits
 */
export function requireOpenUntil(entries: readonly AuditEntry[], endsByEpochMs: number): void {
  const closing = lastOf(entries, 'ADMITTED')?.facts.closing;
  // A time that cannot be read has passed.
  if (closing === undefined || endsByEpochMs <= Date.parse(closing.at)) return;
  const until = new Date(endsByEpochMs).toISOString();
  const message = `the fault could live until ${until}, and ${closing.what} ends at ${closing.at}`;
  throw new WorkflowError(ErrorName.OutsideLimits, message);
}

/**
 * Whether it was admitted although the cluster does not survive it: what replication says of that refuses and ends nothing.
 * @returns undefined when it was not. `isOnAll`: no node is left beside those that are hit
 */
export function toleratedLossOf(entries: readonly AuditEntry[], cluster: string): { isOnAll: boolean } | undefined {
  const seen = lastOf(entries, 'ADMITTED')?.facts.clusters.find((each) => each.cluster === cluster);
  if (seen?.toleratedLoss === undefined) return undefined;
  return { isOnAll: seen.impactedNodes >= seen.liveNodes };
}

/** Every node of a fault that is not, or is not any more, what it was at admission: `<fault>: <node>`; empty: all are. */
export function changedNodes(admitted: readonly ResolvedFault[], now: readonly ResolvedFault[]): string[] {
  const parts = (faults: readonly ResolvedFault[]) =>
    new Map(
      faults.flatMap(({ faultId, impacted, peers, shardMembers }) =>
        [...Object.entries({ impacted, peers, shardMembers })].flatMap(([part, nodes]) =>
          nodes.map((node) => [`${faultId} ${part} ${node.name}`, { node, text: `${faultId}: ${node.name}` }] as const),
        ),
      ),
    );
  const [before, after] = [parts(admitted), parts(now)];
  const changed = [...new Map([...before, ...after])].filter(
    ([key]) => digestOf(withoutOrder(before.get(key)?.node)) !== digestOf(withoutOrder(after.get(key)?.node)),
  );
  return [...new Set(changed.map(([, { text }]) => text))];
}

function digestOf(value: unknown): string {
  return sha256Hex(canonicalJson(value ?? null));
}

function notAdmitted(why: string): WorkflowError {
  return new WorkflowError(ErrorName.NotAdmitted, `refused, it is not what was admitted: ${why}`);
}
