import { alarmsNotOk } from '../admission/alarm-states.ts';
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
  /** CloudWatch's state of each named alarm that exists. */
  readAlarmStates: (names: string[]) => Promise<Map<string, string>>;
  audit: Pick<AuditLog, 'append'>;
}

/**
 * Nothing starts on a system that is not well: a baseline over the past 60 s, every guardrail passing now, the store
 * healthy, every alarm OK. What cannot be known is not steady. The alarms were asked at admission too, but one that
 * fired between that and the lock found no experiment to end.
 * @throws WorkflowError SteadyStateNotMet with every problem found.
 */
export async function checkSteadyState(
  experimentId: string,
  cluster: Cluster,
  { telemetry, readTopology, readAlarmStates, audit }: SteadyStateDependencies,
): Promise<Baseline> {
  const [traffic, topology, alarms] = await Promise.allSettled([
    readBaseline(telemetry, cluster),
    readTopology(),
    alarmsNotOk(cluster.alarms, readAlarmStates),
  ]);
  const problems: string[] = [];
  if (topology.status === 'rejected') problems.push(`store: ${String(topology.reason)}`);
  else problems.push(...topologyProblems(topology.value));
  if (alarms.status === 'rejected') problems.push(`alarms: ${String(alarms.reason)}`);
  else problems.push(...alarms.value.map(({ name, state }) => `alarm ${name} is ${state}`));
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
