import { alarmsThatStop } from '../domain/alarms.ts';
import type { Experiment } from '../domain/experiment.ts';
import type { FisFaults } from '../domain/fis-fault.ts';
import { ENVIRONMENT, topicVariable } from '../domain/names.ts';
import type { NoticeSeverity } from '../domain/notifications.ts';
import { PATIENCE } from '../domain/timing.ts';
import type { Configuration } from '../engines/configuration.ts';
import { environmentVariable } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { AuditIndex } from '../tables/audit-index.ts';
import { AuditLog } from '../tables/audit-log.ts';
import { Cursors } from '../tables/cursors.ts';
import { KillSwitches } from '../tables/kill-switches.ts';
import { Leases } from '../tables/leases.ts';
import { Locks } from '../tables/locks.ts';
import { Records } from '../tables/records.ts';
import { Reservations } from '../tables/reservations.ts';
import { ScheduleTurns } from '../tables/schedule-turns.ts';
import {
  cloudWatchClient,
  dynamoClient,
  ec2Client,
  eventBridgeClient,
  fisClient,
  snsClient,
  ssmClient,
  stepFunctionsClient,
} from './clients.ts';
import { eventBridgePublisher } from './event-publisher.ts';
import { Executions } from './executions.ts';
import { fisInjection } from './fis/inject.ts';
import { fisRollBack } from './fis/roll-back.ts';
import { type HostCommands, ssmHostCommands } from './host-commands.ts';
import { snsTopic, type Topic } from './topics.ts';

/**
 * What the handlers are made of, from the environment that the stack sets: each takes its part, and its environment
 * names only that part. What talks to stores is in `cluster-access.ts`, so that no other function carries their clients.
 */
const table = (name: keyof typeof ENVIRONMENT) => ({
  dynamo: dynamoClient(),
  tableName: environmentVariable(ENVIRONMENT[name]),
});

/** @param patience with the bus; a caller who waits at the API is not kept for long */
export function auditLog(patience: 'ordinary' | 'event' = 'ordinary'): AuditLog {
  const bus = environmentVariable(ENVIRONMENT.eventBus);
  const publish = eventBridgePublisher(eventBridgeClient(patience), bus);
  return new AuditLog({ ...table('auditTable'), clock: systemClock, publish });
}

/** For functions that only read the log: they may not publish and have no bus. */
export function auditReader(): Pick<AuditLog, 'read' | 'latest' | 'readToDecideRollback' | 'readUnparsed'> {
  return new AuditLog({ ...table('auditTable'), clock: systemClock });
}

/** @param patience `ordinary` to create one: an attempt repeated while the first was on its way would find its own row */
export function leases(patience: 'lease' | 'beat' | 'ordinary' = 'lease'): Leases {
  const { withinMs } = PATIENCE[patience === 'beat' ? 'beat' : 'lease'];
  return new Leases({ ...table('leaseTable'), dynamo: dynamoClient(patience), clock: systemClock, withinMs });
}

/** @param patience `beat` for the guard, whose next look comes soon */
export function killSwitches(patience: 'lease' | 'beat' = 'lease'): KillSwitches {
  const { withinMs } = PATIENCE[patience];
  return new KillSwitches({ ...table('leaseTable'), dynamo: dynamoClient(patience), clock: systemClock, withinMs });
}

/** The guard's: a beat is not repeated; a release may be, it is idempotent. */
export function guardLeases(): Pick<Leases, 'renew' | 'read' | 'release'> {
  const [beat, patient] = [leases('beat'), leases()];
  return {
    renew: (experimentId, readings) => beat.renew(experimentId, readings),
    read: (experimentId) => patient.read(experimentId),
    release: (experimentId, reason, detail) => patient.release(experimentId, reason, detail),
  };
}

export const locks = () => new Locks(table('lockTable'));
export const reservations = () => new Reservations(table('experimentTable'));
export const auditIndex = () => new AuditIndex(table('auditTable'));
export const cursors = () => new Cursors(table('experimentTable'));
export const scheduleTurns = () => new ScheduleTurns(table('experimentTable'));
export const records = () => new Records(table('recordTable'));

export function executions(): Executions {
  return new Executions(stepFunctionsClient(), environmentVariable(ENVIRONMENT.stateMachineArn));
}

export function topic(severity: NoticeSeverity): Topic {
  return snsTopic(snsClient(), environmentVariable(topicVariable(severity)));
}

export function hostCommands(): HostCommands {
  return ssmHostCommands(ssmClient(), systemClock);
}

export function fisFaultInjection(
  clusters: Configuration['clusters'],
  experiment: Pick<Experiment, 'safetyThreshold' | 'hypothesis'>,
): Pick<FisFaults, 'inject'> {
  return fisInjection({
    fis: fisClient(),
    cloudWatch: cloudWatchClient(),
    leases: leases(),
    clock: systemClock,
    place: {
      stackName: environmentVariable(ENVIRONMENT.stackName),
      roleArn: environmentVariable(ENVIRONMENT.fisRoleArn),
      region: environmentVariable('AWS_REGION'),
      heartbeatAlarmPrefix: environmentVariable(ENVIRONMENT.heartbeatAlarmPrefix),
    },
    alarmsOf: (cluster) => alarmsThatStop(cluster, { alarms: clusters[cluster]?.alarms ?? [] }, experiment),
  });
}

export function fisFaultRollback(): Pick<FisFaults, 'rollBack'> {
  const stackName = environmentVariable(ENVIRONMENT.stackName);
  return fisRollBack({ fis: fisClient(), ec2: ec2Client(), clock: systemClock, stackName });
}
