import type { Topic } from '../aws/topics.ts';
import type { Clock } from '../domain/clock.ts';
import { isOnRecord, mayStillBeRecorded } from '../domain/engagement-record.ts';
import { type KillSwitch, switchLogIdOf } from '../domain/kill-switch.ts';
import { switchEngagedNotice } from '../domain/notice.ts';
import { withDeadline } from '../domain/with-deadline.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import type { KillSwitches } from '../tables/kill-switches.ts';

const ACTOR = { function: 'sweep' };
/** One engagement is two entries; several people may engage the same switch at once. */
const ENTRIES_READ = 10;

export interface RecordEngagedDependencies {
  /** All of the configuration. */
  clusters: readonly string[];
  switches: Pick<KillSwitches, 'read'>;
  audit: Pick<AuditLog, 'append' | 'latest'>;
  /** Of what is critical. */
  topic: Pick<Topic, 'publish'>;
  clock: Clock;
}

/**
 * An engaged switch that is not on record was engaged by hand, or while the log was down, and nobody was told. It is put on
 * record, which tells people; while that cannot be done they are told past the log, each time that this is called.
 * @throws AggregateError when of some switch that could not be done either
 */
export async function recordEngaged(dependencies: RecordEngagedDependencies): Promise<void> {
  const { clusters, switches, clock } = dependencies;
  const engaged = (await switches.read(clusters)).filter(
    (each) => each.engaged && !mayStillBeRecorded(each, clock.nowEpochMs()),
  );
  const done = await Promise.allSettled(engaged.map((each) => recordOne(each, dependencies)));
  const failures = done.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
  if (failures.length > 0)
    throw new AggregateError(failures, `${failures.length} engaged switches were told to nobody`);
}

async function recordOne(found: KillSwitch, { audit, topic, clock }: RecordEngagedDependencies): Promise<void> {
  const { cluster, engagement = {} } = found;
  const { by, at, reason } = engagement;
  const details = {
    ...(cluster === undefined ? {} : { cluster }),
    reason: reason ?? 'nobody said why',
    engagedBy: by ?? 'somebody, past the API',
    ...(at === undefined ? {} : { engagedAt: at }),
  };
  const id = switchLogIdOf(cluster);
  try {
    if (isOnRecord(found, await withDeadline(audit.latest(id, ENTRIES_READ), clock))) return;
    await withDeadline(audit.append(id, 'KILL_SWITCH_ENGAGING', ACTOR, details), clock);
  } catch (error) {
    log.error('engaged kill switch not on record: told past the log', { ...details, error: String(error) });
    await topic.publish(switchEngagedNotice(details, ACTOR));
  }
}
