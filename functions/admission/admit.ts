import type { Clock } from '../domain/clock.ts';
import type { Cluster, Configuration } from '../domain/configuration.ts';
import type { Experiment } from '../domain/experiment.ts';
import { type Problem, problem } from '../domain/problem.ts';
import type { Reading, ResolvedFault, ResolvedTargets } from '../domain/workflow.ts';
import { limitsOf } from './blast-radius.ts';
import { CHECKS } from './checks.ts';
import { Findings } from './findings.ts';
import { type Irreversible, irreversibleOf } from './irreversible.ts';
import { type PlannedAct, plan, type ServicePlan } from './plan.ts';
import type { AdmissionPorts } from './ports.ts';
import { refuseTooLarge } from './size.ts';
import { type WorstCase, worstCase } from './worst-case.ts';

/** What admission saw of one cluster: the numbers of a dry run and of the ADMITTED entry. */
export interface ClusterFacts {
  cluster: string;
  tier: Cluster['tier'];
  liveNodes: number;
  impactedNodes: number;
  impactedNodesPct: number;
  maxNodesPct: number;
  impactedShards: string[];
  trafficSharePct: number;
  maxTrafficSharePct: number;
  guardrails: Reading[];
  worstCase: WorstCase;
}

export interface AdmissionFacts {
  clusters: ClusterFacts[];
  targets: ResolvedFault[];
  /** What no rollback takes back. */
  irreversible: Irreversible[];
}

export type Admission =
  | { admitted: true; facts: AdmissionFacts; wouldRun: PlannedAct[] }
  | { admitted: false; problem: Problem };

/**
 * Asks the ordered refusals (checks.ts) about every cluster of the experiment and stops at the first no. A check that
 * cannot be made is a no. Nothing is changed or reserved.
 */
export async function admit(
  experiment: Experiment,
  configuration: Configuration,
  ports: AdmissionPorts,
  clock: Clock,
  documentPrefix: string,
): Promise<Admission> {
  const wouldRun: PlannedAct[] = [];
  const exemptAddresses: ResolvedTargets['exemptAddresses'] = {};
  const facts: AdmissionFacts = { clusters: [], targets: [], irreversible: irreversibleOf(experiment) };
  for (const clusterName of clustersOf(experiment)) {
    const findings = new Findings(experiment, clusterName, configuration, ports, clock);
    for (const { name, refuse, whenUnknown } of CHECKS) {
      try {
        const refusal = await refuse(findings);
        if (refusal) return { admitted: false, problem: refusal };
      } catch (error) {
        const detail = `not started: "${name}" could not be checked for ${clusterName}: ${messageOf(error)}`;
        return { admitted: false, problem: problem(whenUnknown ?? 'control-plane-unknown', detail, { check: name }) };
      }
    }
    const { commands, services } = plan(findings, await findings.targets(), configuration, documentPrefix);
    facts.clusters.push(await clusterFacts(findings, configuration, services));
    facts.targets.push(...(await findings.targets()).faults);
    wouldRun.push(...commands, ...services);
    Object.assign(exemptAddresses, (await findings.targets()).exemptAddresses);
  }
  const tooLarge = refuseTooLarge(experiment, { faults: facts.targets, exemptAddresses }, wouldRun);
  if (tooLarge) return { admitted: false, problem: tooLarge };
  return { admitted: true, facts, wouldRun };
}

/** Names of the clusters an experiment touches, each once, in sorted order: the order in which locks are taken. */
export function clustersOf(experiment: Experiment): string[] {
  return [...new Set(experiment.faults.map(({ cluster }) => cluster))].sort();
}

async function clusterFacts(
  findings: Findings,
  { leaseGraceSeconds }: Configuration,
  services: readonly ServicePlan[],
): Promise<ClusterFacts> {
  const { cluster, clusterName, impacted, experiment } = findings;
  const liveNodes = (await findings.liveNodes()).length;
  return {
    cluster: clusterName,
    tier: cluster.tier,
    liveNodes,
    impactedNodes: impacted.length,
    impactedNodesPct: (100 * impacted.length) / liveNodes,
    impactedShards: (await findings.impactedShards()).map(({ name }) => name),
    trafficSharePct: 100 * (await findings.trafficShare()),
    ...limitsOf(cluster),
    guardrails: await findings.guardrails(),
    worstCase: worstCase(cluster, leaseGraceSeconds, experiment.durationSeconds, services),
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
