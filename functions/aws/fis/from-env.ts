import { alarmsThatStop } from '../../domain/alarms.ts';
import type { Configuration } from '../../domain/configuration.ts';
import type { Experiment } from '../../domain/experiment.ts';
import type { ServiceFaults } from '../../domain/fis-faults.ts';
import { requireEnv } from '../../runtime/environment.ts';
import { systemClock } from '../../runtime/system-clock.ts';
import type { LeaseStore } from '../../tables/leases.ts';
import { cloudWatchClient, ec2Client, fisClient } from '../clients.ts';
import { fisInjection } from './inject.ts';
import { fisRollBack } from './roll-back.ts';

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
