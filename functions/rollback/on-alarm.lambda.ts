import { loadConfiguration } from '../aws/configuration.ts';
import { auditLog, leases, locks } from '../aws/wiring.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { type AlarmStateChange, type OnAlarmResult, onAlarm } from './on-alarm.ts';

const dependencies = {
  clusters: loadConfiguration().clusters,
  locks: locks(),
  audit: auditLog('event'),
  leases: leases(),
  clock: systemClock,
};

export function handler(event: AlarmStateChange): Promise<OnAlarmResult> {
  return onAlarm(event, dependencies);
}
