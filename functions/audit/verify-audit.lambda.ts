import { putBrokenLogs } from '../aws/audit-metric.ts';
import { cloudWatchClient } from '../aws/clients.ts';
import { auditIndex, auditReader, cursors } from '../aws/wiring.ts';
import { ENVIRONMENT } from '../domain/names.ts';
import { environmentVariable } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { type Verification, verifyAudit } from './verify-audit.ts';

const stackName = environmentVariable(ENVIRONMENT.stackName);
const dependencies = {
  index: auditIndex(),
  audit: auditReader(),
  cursors: cursors(),
  tell: (broken: number) => putBrokenLogs(cloudWatchClient(), stackName, broken),
  clock: systemClock,
};

export function handler(): Promise<Verification> {
  return verifyAudit(dependencies);
}
