import { alarmsNotOk } from '../domain/alarms.ts';
import type { Clock } from '../domain/clock.ts';
import type { Cluster } from '../domain/configuration.ts';
import { ErrorName, WorkflowError } from '../domain/errors.ts';
import type { Experiment } from '../domain/experiment.ts';
import { describeBreaches, evaluate, type NamedCluster } from '../domain/guardrails.ts';
import type { Hypothesis } from '../domain/hypothesis.ts';
import { type StoreTopology, topologyProblems } from '../domain/topology.ts';
import type { Baseline, CheckReading } from '../domain/workflow.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import { readBaseline } from '../telemetry/baseline.ts';
import { readChecks } from '../telemetry/check-readings.ts';
import type { Telemetry } from '../telemetry/prometheus.ts';
import { readControlledTelemetry } from '../telemetry/snapshot.ts';

/** One cluster of the experiment, and how it is seen. */
export interface ObservedCluster extends NamedCluster {
  cluster: NamedCluster['cluster'] & Pick<Cluster, 'alarms'>;
  telemetry: Telemetry;
  readTopology: () => Promise<StoreTopology>;
}

export interface SteadyStateDependencies {
  /** CloudWatch's state of each named alarm that exists. */
  readAlarmStates: (names: string[]) => Promise<Map<string, string>>;
  audit: Pick<AuditLog, 'append'>;
  clock: Pick<Clock, 'nowEpochMs'>;
}

/**
 * Nothing starts on a system that is not well: of every cluster of the experiment a baseline over the past 60 s, every
 * guardrail passing now and able to fail, the store healthy, every alarm OK, every check that must hold before. What cannot be known is not steady. The alarms were asked
 * at admission too, but one that fired between that and the lock found no experiment to end.
 * @returns the baselines by cluster
 * @throws WorkflowError SteadyStateNotMet with every problem found.
 */
export async function checkSteadyState(
  { experimentId, hypothesis }: Pick<Experiment, 'experimentId' | 'hypothesis'>,
  clusters: readonly ObservedCluster[],
  dependencies: SteadyStateDependencies,
): Promise<Record<string, Baseline>> {
  const looks = await Promise.all(clusters.map((cluster) => lookAt(cluster, hypothesis, dependencies)));
  const problems = looks.flatMap((look, index) =>
    look.problems.map((problem) => (clusters.length > 1 ? `${clusters[index]?.name}: ${problem}` : problem)),
  );
  const baselines: Record<string, Baseline> = {};
  for (const [index, { baseline }] of looks.entries()) {
    const name = clusters[index]?.name;
    if (name !== undefined && baseline) baselines[name] = baseline;
  }
  if (problems.length > 0) throw new WorkflowError(ErrorName.SteadyStateNotMet, problems.join('; '));
  await dependencies.audit.append(
    experimentId,
    'STEADY_STATE_CONFIRMED',
    { function: 'check-steady-state' },
    { baselines, ...(hypothesis ? { checks: looks.flatMap(({ checks }) => checks) } : {}) },
  );
  return baselines;
}

/** Without a baseline there is a problem that says why. */
interface Look {
  baseline?: Baseline;
  checks: CheckReading[];
  problems: string[];
}

async function lookAt(
  observed: ObservedCluster,
  hypothesis: Hypothesis | undefined,
  { readAlarmStates, clock }: SteadyStateDependencies,
): Promise<Look> {
  const { cluster, telemetry, readTopology } = observed;
  const reading = hypothesis ? readChecks(telemetry, observed, hypothesis, clock) : [];
  const [traffic, topology, alarms] = await Promise.allSettled([
    readBaseline(telemetry, cluster),
    readTopology(),
    alarmsNotOk(cluster.alarms, readAlarmStates),
  ]);
  const checks = await reading;
  const problems = checks.flatMap(({ check, held, reason }) => (held ? [] : [`${check}: ${reason}`]));
  if (topology.status === 'rejected') problems.push(`store: ${String(topology.reason)}`);
  else problems.push(...topologyProblems(topology.value));
  if (alarms.status === 'rejected') problems.push(`alarms: ${String(alarms.reason)}`);
  else problems.push(...alarms.value.map(({ name, state }) => `alarm ${name} is ${state}`));
  if (traffic.status === 'rejected') return { checks, problems: [String(traffic.reason), ...problems] };

  const readings = evaluate(observed, await readControlledTelemetry(telemetry, cluster), traffic.value);
  if (readings.some((reading) => reading.breached)) problems.unshift(describeBreaches(readings));
  return { baseline: { readings, ...traffic.value }, checks, problems };
}
