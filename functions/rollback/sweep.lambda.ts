import { loadConfiguration } from '../aws/configuration.ts';
import { auditLog, executions, killSwitches, leases, locks, topic } from '../aws/wiring.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { type SweepAction, sweep } from './sweep.ts';

const dependencies = {
  locks: locks(),
  audit: auditLog(),
  leases: leases(),
  switches: killSwitches(),
  clusters: Object.keys(loadConfiguration().clusters),
  topic: topic('CRITICAL'),
  executions: executions(),
  clock: systemClock,
};

export function handler(): Promise<Record<string, SweepAction>> {
  return sweep(dependencies);
}
