import { isTolerated } from '../domain/alarms.ts';
import type { Clock } from '../domain/clock.ts';
import type { Cluster } from '../domain/configuration.ts';
import type { AlertSeverity } from '../domain/experiment.ts';
import { stateOf } from '../domain/status.ts';
import { withDeadline } from '../domain/with-deadline.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import type { Leases } from '../tables/leases.ts';
import type { Locks } from '../tables/locks.ts';
import { releaseAndRecord } from './release-and-record.ts';

const ACTOR = { function: 'on-alarm' };

/** The part of EventBridge's `CloudWatch Alarm State Change` that is used. */
export interface AlarmStateChange {
  detail: { alarmName: string; state: { value: string; reason?: string } };
}

export interface OnAlarmDependencies {
  clusters: Readonly<Record<string, Pick<Cluster, 'alarms'>>>;
  locks: Pick<Locks, 'holder'>;
  audit: Pick<AuditLog, 'append' | 'read'>;
  leases: Pick<Leases, 'release'>;
  clock: Clock;
}

/** Experiments whose lease was released, and why the others' were not. */
export interface OnAlarmResult {
  released: string[];
  ignored: string[];
}

/**
 * An alarm of a cluster ends the experiment that holds it, if its severity is above what the experiment tolerates. An
 * experiment whose terms cannot be read in time is ended as well.
 * @throws the lease store's error, so that the event is delivered again.
 */
export async function onAlarm(event: AlarmStateChange, dependencies: OnAlarmDependencies): Promise<OnAlarmResult> {
  const { alarmName, state } = event.detail;
  const result: OnAlarmResult = { released: [], ignored: [] };
  const ignore = (why: string) => {
    log.info('alarm ignored', { alarmName, why });
    result.ignored.push(why);
  };
  if (state.value !== 'ALARM') ignore(`its state is ${state.value}`);
  else {
    const configured = Object.entries(dependencies.clusters).flatMap(([cluster, { alarms }]) =>
      alarms.filter(({ name }) => name === alarmName).map(({ severity }) => ({ cluster, severity })),
    );
    if (configured.length === 0) ignore('no cluster configures it');
    for (const { cluster, severity } of configured) {
      const experimentId = await dependencies.locks.holder(cluster);
      if (experimentId === undefined) ignore(`no experiment holds ${cluster}`);
      else if (await tolerates(experimentId, severity, dependencies)) ignore(`${experimentId} tolerates ${severity}`);
      else {
        const detail = `${alarmName} (${severity}): ${state.reason ?? 'no reason given'}`;
        await releaseAndRecord(experimentId, { reason: 'ALARM', detail }, ACTOR, dependencies);
        result.released.push(experimentId);
      }
    }
  }
  return result;
}

async function tolerates(
  experimentId: string,
  severity: AlertSeverity,
  { audit, clock }: OnAlarmDependencies,
): Promise<boolean> {
  try {
    const { experiment, verdict } = stateOf(await withDeadline(audit.read(experimentId), clock));
    if (verdict) return true;
    if (!experiment) return false;
    return isTolerated(severity, experiment.safetyThreshold);
  } catch (error) {
    log.error('terms not readable: released', { experimentId, error: String(error) });
    return false;
  }
}
