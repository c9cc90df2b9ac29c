import { auditReader, executions, leases, locks } from '../aws/wiring.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { type SweepAction, sweep } from './sweep.ts';

const dependencies = {
  locks: locks(),
  audit: auditReader(),
  leases: leases(),
  executions: executions(),
  clock: systemClock,
};

export function handler(): Promise<Record<string, SweepAction>> {
  return sweep(dependencies);
}
