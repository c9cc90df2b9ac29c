import { EARLY_FIS_ENDS } from '../domain/fis-fault.ts';
import { log } from '../runtime/log.ts';
import { type ReleaseDependencies, releaseAndRecord } from './release-and-record.ts';

const ACTOR = { function: 'on-fis-end' };
/** The part of EventBridge's `FIS Experiment State Change` that is used. */
export interface FisStateChange {
  detail: { 'experiment-id': string; 'new-state': { status: string; reason?: string } };
}

export interface OnFisEndDependencies extends ReleaseDependencies {
  /** Whose fault it is, by the tags of the FIS experiment; undefined: none of this deployment. */
  ownerOf(fisExperimentId: string): Promise<{ experimentId: string; faultId: string } | undefined>;
}

export type OnFisEndResult = 'no early end' | 'not ours' | 'released before' | 'released';

/**
 * A fault that FIS applies has ended before its time: somebody stopped it, an alarm did, or it failed. Then the lease goes,
 * and with it the other faults of the run. After our own rollback, which stops it too, the lease is released already.
 * @throws the error of FIS, of the lease store or of the log, so that the event is delivered again
 */
export async function onFisEnd(
  { detail }: FisStateChange,
  dependencies: OnFisEndDependencies,
): Promise<OnFisEndResult> {
  const { 'experiment-id': fisExperimentId, 'new-state': state } = detail;
  const result = await act();
  log.info('FIS experiment changed its state', { fisExperimentId, ...state, result });
  return result;

  async function act(): Promise<OnFisEndResult> {
    if (!EARLY_FIS_ENDS.includes(state.status)) return 'no early end';
    const owner = await dependencies.ownerOf(fisExperimentId);
    if (!owner) return 'not ours';
    // Nothing was ever held for it: a release would be its first row.
    if (!(await dependencies.leases.read(owner.experimentId))) return 'released before';
    const why = `${owner.faultId}: FIS experiment ${fisExperimentId} is ${state.status}${state.reason ? `: ${state.reason}` : ''}`;
    const reason = { reason: 'EFFECT_LOST', detail: why } as const;
    return (await releaseAndRecord(owner.experimentId, reason, ACTOR, dependencies)) ? 'released' : 'released before';
  }
}
