import type { AdmissionFacts } from '../domain/admission.ts';
import { lastOf } from '../domain/audit-entry.ts';
import type { Clock } from '../domain/clock.ts';
import { rollbackOf, stateOf } from '../domain/status.ts';
import { withDeadline } from '../domain/with-deadline.ts';
import type { ExperimentRun } from '../domain/workflow.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import { summaryOf } from './bounded-result.ts';

type Rolled = Pick<ExperimentRun, 'experimentId' | 'experiment' | 'rollback'>;
/** What admission saw; absent: the log does not tell. */
type Seen = { facts?: AdmissionFacts };

/**
 * Experiment and rollback as the log has them: what comes after a fault must not depend on what somebody hands over. Only
 * where the log cannot be read, what the run carries has to do.
 */
export async function asLogged(run: Rolled, audit: Pick<AuditLog, 'read'>, clock: Clock): Promise<Rolled & Seen> {
  const { experimentId } = run;
  try {
    const entries = await withDeadline(audit.read(experimentId), clock);
    const rollback = rollbackOf(entries);
    const experiment = stateOf(entries).experiment ?? { ...run.experiment, experimentId, faults: [] };
    const facts = lastOf(entries, 'ADMITTED')?.facts;
    return { ...run, experiment, ...(rollback ? { rollback: summaryOf(rollback) } : {}), ...(facts ? { facts } : {}) };
  } catch (error) {
    log.error('log not readable: by what the run carries', { experimentId, error: String(error) });
    return run;
  }
}
