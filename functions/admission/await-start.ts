import type { Admission, AdmissionFacts } from '../domain/admission.ts';
import { requireAdmitted } from '../domain/admitted.ts';
import { requesterOf } from '../domain/approval-state.ts';
import { isEntryOf, lastOf } from '../domain/audit-entry.ts';
import type { Clock } from '../domain/clock.ts';
import { ErrorName, WorkflowError } from '../domain/errors.ts';
import { type Caller, clustersOf, type Experiment } from '../domain/experiment.ts';
import { describeEngaged } from '../domain/kill-switch.ts';
import type { ExperimentRun } from '../domain/workflow.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import type { KillSwitches } from '../tables/kill-switches.ts';
import type { Leases } from '../tables/leases.ts';

const POLL_MS = 1000;

export interface AwaitStartDependencies {
  audit: Pick<AuditLog, 'read'>;
  leases: Pick<Leases, 'read'>;
  switches: Pick<KillSwitches, 'engaged'>;
  /** As at the start, except that the clusters may be held: by this experiment. */
  admit(experiment: Experiment, caller: Caller): Promise<Admission>;
  clock: Clock;
}

/**
 * Waits until the announced start, then admits once more: what was true when it was announced may not be any more.
 * @throws WorkflowError LeaseReleased as soon as somebody aborts or engages the kill switch; NotAdmitted when it would be
 * refused now, or was never announced. Error when lease or kill switch cannot be read: unknown means no.
 */
export async function awaitStart(
  { experimentId, experiment }: Pick<ExperimentRun, 'experimentId' | 'experiment'>,
  { audit, leases, switches, admit, clock }: AwaitStartDependencies,
): Promise<void> {
  const entries = await audit.read(experimentId);
  const admitted = requireAdmitted(entries, experiment);
  const startsAtMs = Date.parse(lastOf(entries, 'ANNOUNCED')?.startsAt ?? '');
  if (Number.isNaN(startsAtMs)) throw new WorkflowError(ErrorName.NotAdmitted, 'refused, its start was not announced');
  for (;;) {
    const lease = await leases.read(experimentId);
    if (lease?.state !== 'HOLD') {
      const why = lease ? `${lease.releaseReason}: ${lease.releaseDetail}` : 'there is no lease';
      throw new WorkflowError(ErrorName.LeaseReleased, `ended before its announced start: ${why}`);
    }
    const engaged = await switches.engaged(clustersOf(admitted.experiment));
    if (engaged) {
      const why = describeEngaged(engaged);
      throw new WorkflowError(ErrorName.LeaseReleased, `ended before its announced start: ${why}`);
    }
    const leftMs = startsAtMs - clock.nowEpochMs();
    if (leftMs <= 0) break;
    await clock.sleep(Math.min(POLL_MS, leftMs));
  }
  // By the log: whoever starts an execution may write another caller into its input.
  const caller = entries.find((entry) => isEntryOf(entry, 'ADMITTED'));
  if (!caller) throw new WorkflowError(ErrorName.NotAdmitted, 'refused, nobody asked for it');
  const admission = await admit(admitted.experiment, requesterOf(caller));
  const why = admission.admitted ? narrowed(admitted.facts, admission.facts) : admission.problem.detail;
  if (why !== undefined) throw new WorkflowError(ErrorName.NotAdmitted, `refused at its announced start: ${why}`);
}

/** Everything behind this goes by what the log says was admitted, so it must hold to that now. */
function narrowed(before: AdmissionFacts, now: AdmissionFacts): string | undefined {
  const standing = now.standingApproval;
  if (standing && standing.hash !== before.standingApproval?.hash) {
    return `what ${standing.by} approves by now is another experiment`;
  }
  for (const { cluster, toleratedLoss } of now.clusters) {
    const shown = before.clusters.find((each) => each.cluster === cluster)?.toleratedLoss;
    if (toleratedLoss !== undefined && toleratedLoss !== shown)
      return `${cluster} will not survive it now as it was announced: ${toleratedLoss}`;
  }
  if (!now.closing || (before.closing && Date.parse(now.closing.at) >= Date.parse(before.closing.at))) return undefined;
  const was = before.closing ? `${before.closing.what} ended at ${before.closing.at}` : 'nothing ended';
  return `${now.closing.what} ends at ${now.closing.at}; when it was announced, ${was}`;
}
