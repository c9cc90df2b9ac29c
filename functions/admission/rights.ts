import type { AdmissionFacts } from '../domain/admission.ts';
import {
  type ApprovalDemand,
  approvalHash,
  identityOf,
  refuseStanding,
  SCHEDULE_PRINCIPAL,
  type StandingApproval,
  standingHash,
} from '../domain/approval.ts';
import { type Caller, clustersOf, type Experiment, type RequestedExperiment } from '../domain/experiment.ts';
import { hoursOf, refuseByRights } from '../domain/principals.ts';
import { type Problem, problem } from '../domain/problem.ts';
import type { Configuration } from '../engines/configuration.ts';
import type { Findings } from './findings.ts';

/** The table of rights, where there is one. */
export async function refuseUnpermitted(findings: Findings): Promise<Problem | undefined> {
  const { caller, clusterName, requested, experiment, principals, clock, beginsWithinSeconds } = findings;
  const kinds = requested.map(({ kind }) => kind);
  const { durationSeconds } = experiment;
  const nowEpochMs = clock.nowEpochMs();
  const wish = { arn: caller.arn, cluster: clusterName, kinds, durationSeconds, beginsWithinSeconds, nowEpochMs };
  const errors = refuseByRights(principals, wish);
  if (errors.length === 0) {
    const hours = hoursOf(principals, wish);
    if (hours) findings.closings.push(hours);
    return undefined;
  }
  const detail = `not started: ${errors.map(({ message, allowed }) => `${message} (allowed: ${allowed})`).join('; ')}`;
  return problem('not-permitted', detail, { principal: caller.arn, cluster: clusterName, errors });
}

/** Where another person has to approve: of a schedule somebody must have done so before, and of anybody it must be clear who he is. */
export async function refuseWithoutApproval(findings: Findings): Promise<Problem | undefined> {
  const { caller, cluster, clusterName, clock } = findings;
  if (!cluster.approval) return undefined;
  const [, schedule] = SCHEDULE_PRINCIPAL.exec(caller.arn) ?? [];
  if (schedule !== undefined) {
    const standing = findings.standingApprovalOf(schedule);
    // At its announced start the log holds it to the hash that was approved before: see await-start.ts.
    const hash = findings.isAnnounced && standing ? standing.hash : standingHash(findings.experiment);
    const refusal = refuseStanding(standing, hash, clock.nowEpochMs());
    if (refusal === undefined) return undefined;
    const detail = `not started: ${clusterName} asks for an approval, and of ${caller.arn} ${refusal.message}`;
    const errors = [{ ...refusal, field: `schedules.${schedule}.${refusal.field}` }];
    return problem('approval-missing', detail, { cluster: clusterName, schedule, errors });
  }
  if (identityOf(caller.arn) !== undefined) return undefined;
  const detail = `not started: ${clusterName} asks for the approval of another person, and ${caller.arn} does not show who is behind it`;
  return problem('not-permitted', detail, { principal: caller.arn, cluster: clusterName });
}

/** By which a schedule starts what needs an approval; undefined: it needs none, or is a person's. */
export function standingApprovalFor(
  experiment: RequestedExperiment,
  { arn }: Caller,
  { clusters, schedules }: Pick<Configuration, 'clusters' | 'schedules'>,
): StandingApproval | undefined {
  const [, name = ''] = SCHEDULE_PRINCIPAL.exec(arn) ?? [];
  const asks = clustersOf(experiment).some((each) => Object.hasOwn(clusters, each) && clusters[each]?.approval);
  return asks && Object.hasOwn(schedules, name) ? schedules[name]?.standingApproval : undefined;
}

/** What has to be approved before it may begin; undefined: nothing, or a standing approval holds. */
export function approvalDemand(
  experiment: Experiment,
  { targets, clusters: seen }: Pick<AdmissionFacts, 'targets' | 'clusters'>,
  caller: Caller,
  { clusters }: Pick<Configuration, 'clusters'>,
): ApprovalDemand | undefined {
  if (SCHEDULE_PRINCIPAL.test(caller.arn)) return undefined;
  const asking = clustersOf(experiment).flatMap((name) => {
    const approval = Object.hasOwn(clusters, name) ? clusters[name]?.approval : undefined;
    return approval ? [{ name, ...approval }] : [];
  });
  if (asking.length === 0) return undefined;
  const losses = seen.flatMap(({ cluster, toleratedLoss }) =>
    toleratedLoss === undefined ? [] : [`${cluster}: ${toleratedLoss}`],
  );
  return {
    hash: approvalHash(experiment, targets, losses),
    clusters: asking.map(({ name }) => name),
    expiresMinutes: Math.min(...asking.map(({ expiresMinutes }) => expiresMinutes)),
    mayNotApprove: identityOf(caller.arn) ?? caller.arn,
  };
}
