import type { AuditEntry } from '../domain/audit-entry.ts';
import { probedBefore } from '../domain/check-values.ts';
import { ErrorName, WorkflowError } from '../domain/errors.ts';
import type { Experiment } from '../domain/experiment.ts';
import { isSameShard, type ShardName, shardText } from '../domain/probed-shards.ts';

/**
 * The probe of each shard must have seen that every check holds which is to hold before; what it does not say did not hold.
 * @throws WorkflowError SteadyStateNotMet
 */
export function refuseUnsteady(
  { hypothesis }: Pick<Experiment, 'hypothesis'>,
  probed: readonly ShardName[],
  entries: readonly AuditEntry[],
): void {
  const checks = probedBefore(hypothesis?.checks ?? []);
  const ready = entries.flatMap((entry) => (entry.type === 'PROBE_READY' ? [entry.details] : []));
  const problems = probed.flatMap((shard) => {
    const readings = ready.filter((one) => isSameShard(one, shard)).flatMap((one) => one.checks ?? []);
    return checks
      .filter(({ cluster }) => cluster === shard.cluster)
      .flatMap(({ name }) => {
        const own = readings.filter(({ check }) => check === name);
        const failed = own.find(({ held }) => !held);
        if (own.length > 0 && !failed) return [];
        return [`${name} on ${shardText(shard)}: ${failed?.reason ?? 'was not measured'}`];
      });
  });
  if (problems.length > 0) throw new WorkflowError(ErrorName.SteadyStateNotMet, problems.join('; '));
}
