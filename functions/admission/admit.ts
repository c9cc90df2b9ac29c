import type { Admission, AdmissionFacts, ClusterFacts, FisPlan, PlannedAct } from '../domain/admission.ts';
import { limitsOf } from '../domain/blast-radius.ts';
import type { Clock } from '../domain/clock.ts';
import { clustersOf, type Experiment } from '../domain/experiment.ts';
import { irreversibleOf } from '../domain/faults/catalogue.ts';
import { problem } from '../domain/problem.ts';
import type { ResolvedTargets } from '../domain/targets.ts';
import type { Configuration } from '../engines/configuration.ts';
import { CHECKS } from './checks.ts';
import { Findings } from './findings.ts';
import { plan } from './plan.ts';
import type { AdmissionPorts } from './ports.ts';
import { refuseTooLarge } from './size.ts';
import { worstCase } from './worst-case.ts';

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
  const facts: AdmissionFacts = { clusters: [], targets: [], irreversible: irreversibleOf(experiment.faults) };
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

async function clusterFacts(
  findings: Findings,
  { leaseGraceSeconds }: Configuration,
  services: readonly FisPlan[],
): Promise<ClusterFacts> {
  const { cluster, clusterName, experiment } = findings;
  const liveNodes = (await findings.liveNodes()).length;
  const impactedNodes = (await findings.hit()).length;
  const scalingGroups = await findings.scalingGroups();
  return {
    cluster: clusterName,
    tier: cluster.tier,
    liveNodes,
    impactedNodes,
    impactedNodesPct: (100 * impactedNodes) / liveNodes,
    impactedShards: (await findings.impactedShards()).map(({ name }) => name),
    trafficSharePct: 100 * (await findings.trafficShare()),
    ...limitsOf(cluster),
    ...(scalingGroups.length > 0 ? { scalingGroups } : {}),
    guardrails: await findings.guardrails(),
    worstCase: worstCase(cluster, leaseGraceSeconds, experiment.durationSeconds, services),
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
