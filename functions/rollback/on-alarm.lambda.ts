import { auditLog, clusterLocks, leaseStore } from '../admission/stores-from-env.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { type AlarmStateChange, type OnAlarmResult, onAlarm } from './on-alarm.ts';

const dependencies = {
  clusters: loadConfiguration().clusters,
  locks: clusterLocks(),
  audit: auditLog(),
  leases: leaseStore(),
  clock: systemClock,
};

export function handler(event: AlarmStateChange): Promise<OnAlarmResult> {
  return onAlarm(event, dependencies);
}
