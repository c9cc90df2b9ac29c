import { readAlarmStates } from '../aws/alarm-states.ts';
import { cloudWatchClient } from '../aws/clients.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import { auditLog, leases, locks } from '../aws/wiring.ts';
import { systemClock } from '../runtime/system-clock.ts';
import type { AlarmResult } from './alarms-fired.ts';
import { type AlarmStateChange, onAlarm } from './on-alarm.ts';

const cloudWatch = cloudWatchClient();

const dependencies = {
  clusters: loadConfiguration().clusters,
  alarmStates: (names: string[]) => readAlarmStates(cloudWatch, names),
  locks: locks(),
  audit: auditLog('event'),
  leases: leases(),
  clock: systemClock,
};

export function handler(event: AlarmStateChange): Promise<AlarmResult> {
  return onAlarm(event, dependencies);
}
