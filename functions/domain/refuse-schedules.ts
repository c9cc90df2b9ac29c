import type * as z from 'zod';
import { refuseStanding, standingHash } from './approval.ts';
import type { Cluster } from './configuration.ts';
import { clustersOf, type RequestedExperiment } from './experiment.ts';
import { parseExperiment } from './parse-experiment.ts';
import { type PrincipalRow, refuseByRights } from './principals.ts';
import { readExpression } from './schedule-times.ts';
import { bodyAt, principalOf, type Schedule, type Schedules } from './schedules.ts';

interface Deployment {
  schedules: Schedules;
  clusters: Readonly<Record<string, Cluster>>;
  principals?: readonly PrincipalRow[] | undefined;
}

/** What would be refused whenever it came, for `superRefine` of a whole configuration: each field by its name. */
export function refuseSchedules({ schedules, clusters, principals }: Deployment, context: z.core.$RefinementCtx): void {
  for (const [name, schedule] of Object.entries(schedules)) {
    const refuse = (field: string, message: string) =>
      context.issues.push({ code: 'custom', path: ['schedules', name, ...field.split('.')], message, input: schedule });
    const read = readExpression(schedule.expression);
    if (!read.ok) refuse('expression', read.message);
    const parsed = parseExperiment(bodyAt(name, schedule, '2026-01-01T00:00:00Z'), clusters);
    if (!parsed.ok) {
      const errors = parsed.problem.errors ?? [{ field: '', message: parsed.problem.detail, allowed: '' }];
      for (const { field, message, allowed } of errors)
        refuse(
          field === '' ? 'experiment' : `experiment.${field}`,
          `${message}${allowed ? ` (allowed: ${allowed})` : ''}`,
        );
      continue;
    }
    const unknown = clustersOf(parsed.experiment).filter((cluster) => !Object.hasOwn(clusters, cluster));
    for (const cluster of unknown) refuse('experiment.targetService', `${cluster} is no cluster of this configuration`);
    // `holdfast schedule run` starts it in the name of a person.
    if (unknown.length > 0 || !schedule.enabled) continue;
    for (const { field, message } of refuseInItsName(name, schedule, parsed.experiment, { clusters, principals }))
      refuse(field, message);
  }
}

/** What a schedule may not start by itself, at whatever hour. */
function refuseInItsName(
  name: string,
  { standingApproval }: Schedule,
  experiment: RequestedExperiment,
  { clusters, principals }: Omit<Deployment, 'schedules'>,
): { field: string; message: string }[] {
  const rows = principals?.map(({ window: _window, ...row }) => row);
  const { durationSeconds } = experiment;
  return clustersOf(experiment).flatMap((cluster) => {
    const kinds = experiment.faults.filter((fault) => fault.cluster === cluster).map(({ kind }) => kind);
    const wish = { arn: principalOf(name), cluster, kinds, durationSeconds, beginsWithinSeconds: 0, nowEpochMs: 0 };
    const errors = refuseByRights(rows, wish).map(({ field, message, allowed }) => ({
      field: field === 'principal' ? 'experiment' : `experiment.${field}`,
      message: `${message} (allowed: ${allowed})`,
    }));
    if (!clusters[cluster]?.approval) return errors;
    // Whether it is over by then nobody knows at synth.
    const refusal = refuseStanding(standingApproval, standingHash(experiment), 0);
    if (!refusal) return errors;
    const { field, message, allowed } = refusal;
    return [...errors, { field, message: `${cluster} asks for an approval: ${message} (allowed: ${allowed})` }];
  });
}
