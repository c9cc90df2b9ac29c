import type { Configuration } from '../experiment/configuration.ts';
import type { LeaseStore } from '../guard/lease.ts';
import { cloudWatchClient, ec2Client, fisClient } from '../shared/clients.ts';
import { requireEnv } from '../shared/env.ts';
import { systemClock } from '../shared/system-clock.ts';
import { fisInjection } from './fis.ts';
import { fisRollBack } from './fis-roll-back.ts';
import type { ServiceFaults } from './service-faults.ts';

export function fisInjectionFromEnv(
  clusters: Configuration['clusters'],
  leases: Pick<LeaseStore, 'read'>,
): Pick<ServiceFaults, 'inject'> {
  return fisInjection({
    fis: fisClient(),
    cloudWatch: cloudWatchClient(),
    leases,
    clock: systemClock,
    place: {
      roleArn: requireEnv('HOLDFAST_FIS_ROLE_ARN'),
      region: requireEnv('AWS_REGION'),
      heartbeatAlarmPrefix: requireEnv('HOLDFAST_HEARTBEAT_ALARM_PREFIX'),
    },
    alarmsOf: (cluster) => (clusters[cluster]?.alarms ?? []).map(({ name }) => name),
  });
}

export function fisRollBackFromEnv(): Pick<ServiceFaults, 'rollBack'> {
  return fisRollBack({ fis: fisClient(), ec2: ec2Client(), clock: systemClock });
}
