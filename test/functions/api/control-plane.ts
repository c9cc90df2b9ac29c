import type { AbortDependencies } from '../../../functions/api/abort-experiment.ts';
import type { StartDependencies } from '../../../functions/api/start-experiment.ts';
import type { PlannedAct } from '../../../functions/domain/admission.ts';
import { ErrorName, WorkflowError } from '../../../functions/domain/errors.ts';
import type { Notice } from '../../../functions/domain/notice.ts';
import type { ExperimentRun } from '../../../functions/domain/workflow.ts';
import type { Reservation } from '../../../functions/tables/reservations.ts';
import { configuration } from '../domain/configuration-fixtures.ts';
import { named } from '../domain/experiment-fixtures.ts';
import { detailsOf } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { leaseOf } from '../tables/lease-fixture.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

export const TOPIC_ARN = 'arn:aws:sns:eu-west-1:111122223333:Info';
export const ID = 'exp_chaos_redis_019';
export const PLAN: PlannedAct[] = [
  { faultId: `${ID}.1`, node: 'n', instanceId: 'i-1', startSeconds: 0, document: 'd', parameters: {}, undo: ['u'] },
];
const { facts } = detailsOf('ADMITTED');
export const STEP = { function: 'inject-fault' };

/** An in-memory control plane that writes down what the route did, in order. */
export function controlPlane() {
  const acts: string[] = [];
  const locks = new Map<string, { experimentId: string; ownerToken: string }>();
  const reservations = new Map<string, Reservation & { ownerToken: string }>();
  const runs: ExperimentRun[] = [];
  const leases = new Map<string, 'HOLD' | 'RELEASED'>();
  const notes = new Map<string, number>();
  const messages: Pick<Notice, 'subject' | 'body'>[] = [];
  const clock = new SimulatedClock();
  const audit = memoryAuditLog({
    clock,
    onAppend: ({ type, actor }) => {
      if ('arn' in actor) acts.push(type);
    },
  });
  const dependencies: StartDependencies = {
    audit,
    switches: { read: async () => [{ engaged: false }] },
    leases: {
      create: async (id) => {
        if (leases.has(id)) throw new WorkflowError(ErrorName.LeaseReleased, 'has had a lease before');
        acts.push('lease');
        leases.set(id, 'HOLD');
      },
      read: async (leaseId) => {
        const state = leases.get(leaseId);
        return state && leaseOf({ leaseId, state });
      },
      release: async (id) => {
        acts.push('released');
        leases.set(id, 'RELEASED');
        return true;
      },
    },
    locks: {
      take: async ({ cluster, experimentId }, ownerToken) => {
        const held = locks.get(cluster);
        if (held && held.ownerToken !== ownerToken) return false;
        acts.push('lock');
        locks.set(cluster, { experimentId, ownerToken });
        return true;
      },
      giveBack: async (cluster, ownerToken) => locks.get(cluster)?.ownerToken === ownerToken && locks.delete(cluster),
      holder: async (cluster) => locks.get(cluster)?.experimentId,
    },
    reservations: {
      find: async (id) => reservations.get(id),
      noteAdmission: async (id, untilEpochMs) => void notes.set(id, untilEpochMs),
      reserve: async (reservation, ownerToken) => {
        if (reservations.has(reservation.experimentId)) return false;
        acts.push('reserve');
        reservations.set(reservation.experimentId, { ...reservation, ownerToken });
        return true;
      },
      cancel: async (id, ownerToken) => reservations.get(id)?.ownerToken === ownerToken && reservations.delete(id),
    },
    admit: async (requested) => ({ admitted: true, experiment: named(requested), facts, wouldRun: PLAN }),
    executions: {
      start: async (_name, started) => {
        acts.push('execution');
        runs.push(started);
        if (started.rollbackOnly) return;
        await audit.append(ID, 'INJECTING', STEP, detailsOf('INJECTING'));
        await audit.append(ID, 'INJECTED', STEP, detailsOf('INJECTED'));
      },
    },
    announcer: {
      announce: undefined,
      countSubscribers: async () => 1,
      publish: async (notice) => {
        acts.push('announce');
        return { topicArn: TOPIC_ARN, messageId: `message-${messages.push(notice)}` };
      },
    },
    clusters: configuration().clusters,
    clock,
  };
  const abortDependencies: AbortDependencies = {
    ...{ audit, clock, leases: dependencies.leases },
    reservations: { isKnown: async (id, nowMs) => reservations.has(id) || (notes.get(id) ?? 0) >= nowMs },
  };
  return { acts, audit, locks, reservations, runs, leases, messages, clock, dependencies, abortDependencies };
}
