import { fisClient } from '../aws/clients.ts';
import { ownerOf } from '../aws/fis/owner.ts';
import { auditLog, leases } from '../aws/wiring.ts';
import { ENVIRONMENT } from '../domain/names.ts';
import { environmentVariable } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { type FisStateChange, type OnFisEndResult, onFisEnd } from './on-fis-end.ts';

const stackName = environmentVariable(ENVIRONMENT.stackName);
const dependencies = {
  audit: auditLog('event'),
  leases: leases(),
  ownerOf: (fisExperimentId: string) => ownerOf(fisClient(), stackName, fisExperimentId),
  clock: systemClock,
};

export function handler(event: FisStateChange): Promise<OnFisEndResult> {
  return onFisEnd(event, dependencies);
}
