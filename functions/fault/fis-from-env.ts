import { alarmsThatStop } from '../experiment/alarms.ts';
import type { Configuration } from '../experiment/configuration.ts';
import type { Experiment } from '../experiment/experiment.ts';
import type { LeaseStore } from '../guard/lease.ts';
import { cloudWatchClient, ec2Client, fisClient } from '../shared/clients.ts';
import { requireEnv } from '../shared/env.ts';
import { systemClock } from '../shared/system-clock.ts';
import { fisInjection } from './fis.ts';
import { fisRollBack } from './fis-roll-back.ts';
import type { ServiceFaults } from './service-faults.ts';

export function fisInjectionFromEnv(
  clusters: Configuration['clusters'],
  { safetyThreshold }: Pick<Experiment, 'safetyThreshold'>,
  leases: Pick<LeaseStore, 'read'>,
): Pick<ServiceFaults, 'inject'> {
  return fisInjection({
    fis: fisClient(),
    cloudWatch: cloudWatchClient(),
    leases,
    clock: systemClock,
    place: {
      stackName: requireEnv('HOLDFAST_STACK_NAME'),
      roleArn: requireEnv('HOLDFAST_FIS_ROLE_ARN'),
      region: requireEnv('AWS_REGION'),
      heartbeatAlarmPrefix: requireEnv('HOLDFAST_HEARTBEAT_ALARM_PREFIX'),
    },
    alarmsOf: (cluster) => alarmsThatStop({ alarms: clusters[cluster]?.alarms ?? [] }, safetyThreshold),
  });
}

export function fisRollBackFromEnv(): Pick<ServiceFaults, 'rollBack'> {
  const stackName = requireEnv('HOLDFAST_STACK_NAME');
  return fisRollBack({ fis: fisClient(), ec2: ec2Client(), clock: systemClock, stackName });
}
