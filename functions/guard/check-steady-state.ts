import type { AuditLog } from '../audit/audit-log.ts';
import type { Cluster } from '../experiment/configuration.ts';
import { ErrorName, WorkflowError } from '../experiment/errors.ts';
import type { Baseline } from '../experiment/workflow.ts';
import { type StoreTopology, topologyProblems } from '../target/store.ts';
import { readBaseline } from './baseline.ts';
import { describeBreaches, evaluate } from './guardrails.ts';
import { readTelemetry, type Telemetry } from './prometheus.ts';

export interface SteadyStateDependencies {
  telemetry: Telemetry;
  readTopology: () => Promise<StoreTopology>;
  audit: Pick<AuditLog, 'append'>;
}

/**
 * Nothing starts on a system that is not well: a baseline over the past 60 s, every guardrail passing now, the store
 * healthy. What cannot be known is not steady.
 * @throws WorkflowError SteadyStateNotMet with every problem found.
 */
export async function checkSteadyState(
  experimentId: string,
  cluster: Cluster,
  { telemetry, readTopology, audit }: SteadyStateDependencies,
): Promise<Baseline> {
  const [traffic, topology] = await Promise.allSettled([readBaseline(telemetry, cluster), readTopology()]);
  const problems: string[] = [];
  if (topology.status === 'rejected') problems.push(`store: ${String(topology.reason)}`);
  else problems.push(...topologyProblems(topology.value));
  if (traffic.status === 'rejected') throw notMet([String(traffic.reason), ...problems]);

  const readings = evaluate(cluster, await readTelemetry(telemetry, cluster), traffic.value);
  if (readings.some((reading) => reading.breached)) problems.unshift(describeBreaches(readings));
  if (problems.length > 0) throw notMet(problems);

  const baseline: Baseline = { readings, ...traffic.value };
  await audit.append(experimentId, 'STEADY_STATE_CONFIRMED', { function: 'check-steady-state' }, { baseline });
  return baseline;
}

function notMet(problems: string[]): WorkflowError {
  return new WorkflowError(ErrorName.SteadyStateNotMet, problems.join('; '));
}
