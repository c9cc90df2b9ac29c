import type { Cluster } from '../domain/configuration.ts';
import { TTL_SECONDS } from '../domain/timing.ts';
import { withDeadline } from '../domain/with-deadline.ts';
import { log } from '../runtime/log.ts';
import { type AlarmDependencies, type AlarmResult, alarmsFired } from './alarms-fired.ts';

const ACTOR = { function: 'on-alarm' };

/** The part of EventBridge's `CloudWatch Alarm State Change` that is used; metric and composite alarms share it. */
export interface AlarmStateChange {
  detail: { alarmName: string; state: { value: string; reason?: string; timestamp?: string } };
}

export interface OnAlarmDependencies extends AlarmDependencies {
  clusters: Readonly<Record<string, Pick<Cluster, 'alarms'>>>;
  /** State of each alarm that exists, now. */
  alarmStates(names: string[]): Promise<Map<string, string>>;
}

/**
 * What an alarm in CloudWatch does to the experiment on each cluster that configures it.
 * @throws the errors of the tables, so that the event is delivered again.
 */
export async function onAlarm(event: AlarmStateChange, dependencies: OnAlarmDependencies): Promise<AlarmResult> {
  const { alarmName: name, state } = event.detail;
  const ignore = (why: string): AlarmResult => {
    log.info('alarm ignored', { name, why });
    return { released: [], expected: [], ignored: [why] };
  };
  if (state.value !== 'ALARM') return ignore(`its state is ${state.value}`);
  const firedAt = isoOf(state.timestamp);
  const { reason = 'no reason given' } = state;
  const configured = Object.entries(dependencies.clusters).flatMap(([cluster, { alarms }]) =>
    alarms
      .filter((alarm) => alarm.name === name)
      .map(({ severity }) => ({ cluster, name, severity, reason, ...(firedAt === undefined ? {} : { firedAt }) })),
  );
  if (configured.length === 0) return ignore('no cluster configures it');
  if (await isOver(name, firedAt, dependencies)) return ignore('it is over by now');
  return alarmsFired(configured, ACTOR, dependencies);
}

/**
 * Of an event that waited longer than any fault lives: an alarm that is over could only end an experiment that it does not
 * concern; one that still fires concerns whoever holds the cluster now. Where nobody can tell, it fires.
 */
async function isOver(
  name: string,
  firedAt: string | undefined,
  { alarmStates, clock }: OnAlarmDependencies,
): Promise<boolean> {
  const ageSeconds = (clock.nowEpochMs() - Date.parse(firedAt ?? '')) / 1000;
  if (ageSeconds <= TTL_SECONDS.max) return false;
  try {
    const now = (await withDeadline(alarmStates([name]), clock)).get(name);
    return now !== undefined && now !== 'ALARM';
  } catch (error) {
    log.error('state of the alarm not readable', { name, error: String(error) });
    return false;
  }
}

/** CloudWatch says `2026-11-26T12:00:00.000+0000`. */
function isoOf(timestamp = ''): string | undefined {
  const ms = Date.parse(timestamp.replace(/\+0000$/, 'Z'));
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}
