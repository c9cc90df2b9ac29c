import type { ClusterFacts } from './admission.ts';
import { type AuditEntry, lastOf } from './audit-entry.ts';
import { ErrorName, WorkflowError } from './errors.ts';
import type { Notifications } from './notifications.ts';

type Announce = Notifications['announce'];
type Tiered = Pick<ClusterFacts, 'cluster' | 'tier'>;

/** Whether people must be told of an experiment on these clusters before it starts. */
export function mustBeAnnounced(clusters: readonly Tiered[], announce: Announce): boolean {
  if (!announce) return false;
  return clusters.some(({ cluster, tier }) => tier === 'production' || announce.alsoClusters.includes(cluster));
}

/**
 * By the log: whoever may start an execution could leave the wait out of its input.
 * @throws WorkflowError NotAdmitted when nobody was told, or earlier than it was announced
 */
export function requireAnnounced(entries: readonly AuditEntry[], announce: Announce, nowEpochMs: number): void {
  const announced = lastOf(entries, 'ANNOUNCED');
  if (!announced) {
    if (!mustBeAnnounced(lastOf(entries, 'ADMITTED')?.facts.clusters ?? [], announce)) return;
    throw new WorkflowError(ErrorName.NotAdmitted, 'refused, its start was not announced');
  }
  // `!(…)`: a time that nobody knows has not come.
  if (!(nowEpochMs >= Date.parse(announced.startsAt))) {
    throw new WorkflowError(ErrorName.NotAdmitted, `refused, it is announced for ${announced.startsAt}`);
  }
}
