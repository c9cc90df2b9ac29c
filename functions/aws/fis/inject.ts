import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import {
  CreateExperimentTemplateCommand,
  DeleteExperimentTemplateCommand,
  type FisClient,
  GetExperimentCommand,
  ServiceQuotaExceededException,
  StartExperimentCommand,
  StopExperimentCommand,
} from '@aws-sdk/client-fis';
import type { Clock } from '../../domain/clock.ts';
import { ErrorName, WorkflowError } from '../../domain/errors.ts';
import type { FisFault, FisFaults } from '../../domain/fis-fault.ts';
import { FIS_RUNNING_DEADLINE_MS, FIS_WATCHED_DEADLINE_MS, HEARTBEAT_EVERY_SECONDS } from '../../domain/timing.ts';
import { type Lease, type Leases, leaseReleased } from '../../tables/leases.ts';
import { readAlarmStates } from '../alarm-states.ts';
import { cleanUpAmbiguousStart, deleteTemplate } from './ambiguous-start.ts';
import { ACTIVE_EXPERIMENTS_QUOTA, isOver } from './experiments.ts';
import { clientTokenOf, type FisPlace, tagsOf, templateOf } from './template.ts';

const POLL_INTERVAL_MS = 1000;

export interface FisInjectDependencies {
  fis: FisClient;
  cloudWatch: CloudWatchClient;
  leases: Pick<Leases, 'read'>;
  clock: Clock;
  place: FisPlace;
  /** Names of the cluster's CloudWatch alarms that the experiment does not tolerate: each stops it. */
  alarmsOf(cluster: string): readonly string[];
}

/**
 * Injection through AWS FIS: template → the alarm over the guard is OK → start → the lease is still held → running.
 * Until the last step the lease is read again and again, because FIS does not read it.
 */
export function fisInjection(dependencies: FisInjectDependencies): Pick<FisFaults, 'inject'> {
  const { fis, clock, place, alarmsOf } = dependencies;
  return {
    async inject(experimentId, service) {
      const { faultId, cluster } = service;
      const request = templateOf(experimentId, service, alarmsOf(cluster), place);
      const tags = tagsOf(place.stackName, experimentId, faultId);
      // The rollback may be over before this: what is left behind here, nobody would look for again.
      const ambiguous = { experimentId, tags, ...dependencies };
      const templateId = await explained(
        'experiment templates of this account and Region',
        fis.send(new CreateExperimentTemplateCommand(request)),
      )
        .then(({ experimentTemplate }) => named(experimentTemplate?.id, 'template'))
        .catch((error: unknown) => cleanUpAmbiguousStart(error, ambiguous));
      try {
        await untilWatched(experimentId, cluster, dependencies);
      } catch (error) {
        throw await deleteTemplate(fis, templateId, error);
      }
      const fisExperimentId = await explained(
        `${ACTIVE_EXPERIMENTS_QUOTA} active experiments of this account and Region, whoever started them`,
        fis.send(
          new StartExperimentCommand({
            clientToken: clientTokenOf(place, faultId),
            experimentTemplateId: templateId,
            tags,
          }),
        ),
      )
        .then(({ experiment }) => named(experiment?.id, 'experiment'))
        .catch(async (error: unknown) =>
          cleanUpAmbiguousStart(await deleteTemplate(fis, templateId, error), ambiguous),
        );
      const deadlineMs = clock.monotonicMs() + FIS_RUNNING_DEADLINE_MS;
      let trouble = 'no answer yet';
      for (;;) {
        await heldOrStopped(experimentId, { fisExperimentId, templateId }, dependencies);
        try {
          const { experiment } = await fis.send(new GetExperimentCommand({ id: fisExperimentId }));
          const { status, reason } = experiment?.state ?? {};
          if (status === 'running' || status === 'completed') return { fisExperimentId };
          trouble = `${status ?? 'no state'}${reason ? `, ${reason}` : ''}`;
          if (isOver(status)) throw new WorkflowError(ErrorName.InjectionFailed, notRunning(service, trouble));
        } catch (error) {
          if (error instanceof WorkflowError) throw error;
          // It goes on without our eyes; look again until the deadline.
          trouble = String(error);
        }
        if (clock.monotonicMs() >= deadlineMs)
          throw new WorkflowError(ErrorName.InjectionFailed, notRunning(service, trouble));
        await clock.sleep(POLL_INTERVAL_MS);
      }
    },
  };
}

function notRunning({ action }: FisFault, trouble: string): string {
  return `the FIS experiment for ${action.actionId} does not run: ${trouble}`;
}

/** Started under an alarm that fires already, an experiment would be stopped at once, or not be watched at all. */
async function untilWatched(
  experimentId: string,
  cluster: string,
  { cloudWatch, leases, clock, place }: FisInjectDependencies,
): Promise<void> {
  const name = `${place.heartbeatAlarmPrefix}${cluster}`;
  const deadlineMs = clock.monotonicMs() + FIS_WATCHED_DEADLINE_MS;
  for (;;) {
    const lease = await leases.read(experimentId);
    if (lease?.state !== 'HOLD') throw leaseReleased(experimentId, lease);
    const state = await readAlarmStates(cloudWatch, [name]).then(
      (states) => states.get(name) ?? 'MISSING',
      (error: unknown) => String(error),
    );
    if (state === 'OK') return;
    if (clock.monotonicMs() >= deadlineMs) {
      const waited = `${FIS_WATCHED_DEADLINE_MS / 1000} s of heartbeats every ${HEARTBEAT_EVERY_SECONDS} s`;
      throw new WorkflowError(
        ErrorName.InjectionFailed,
        `alarm ${name} is ${state} after ${waited}: FIS would run unwatched`,
      );
    }
    await clock.sleep(POLL_INTERVAL_MS);
  }
}

/** @throws WorkflowError LeaseReleased after telling FIS to stop; a lease that cannot be read is treated like one. */
async function heldOrStopped(
  experimentId: string,
  { fisExperimentId, templateId }: { fisExperimentId: string; templateId: string },
  { fis, leases }: FisInjectDependencies,
): Promise<void> {
  let lease: Lease | undefined;
  let unread: unknown;
  try {
    lease = await leases.read(experimentId);
  } catch (error) {
    unread = error;
  }
  if (lease?.state === 'HOLD') return;
  // The rollback may already be over: then nobody else stops this one before the alarm does.
  const ends = await Promise.allSettled([
    fis.send(new StopExperimentCommand({ id: fisExperimentId })),
    fis.send(new DeleteExperimentTemplateCommand({ id: templateId })),
  ]);
  const failures = ends.flatMap((end) => (end.status === 'rejected' ? [String(end.reason)] : []));
  const gone = leaseReleased(experimentId, lease);
  if (unread !== undefined) gone.message = `the lease of ${experimentId} could not be read: ${String(unread)}`;
  gone.message += `; FIS experiment ${fisExperimentId} was told to stop${failures.length > 0 ? `, but: ${failures.join('; ')}` : ''}`;
  throw gone;
}

/** So that a person reads which quota it is. */
async function explained<T>(quota: string, act: Promise<T>): Promise<T> {
  try {
    return await act;
  } catch (error) {
    if (!(error instanceof ServiceQuotaExceededException)) throw error;
    const refusal = `refused by FIS, nothing was started: quota of ${quota} (${error.message})`;
    throw new WorkflowError(ErrorName.InjectionFailed, refusal, { cause: error });
  }
}

function named(id: string | undefined, what: string): string {
  if (id === undefined) throw new Error(`FIS gave no ${what} id`);
  return id;
}
