import type { Admission, AdmissionFacts, ClusterFacts, FisPlan, PlannedAct } from '../domain/admission.ts';
import { mustBeAnnounced } from '../domain/announcement.ts';
import { limitsOf } from '../domain/blast-radius.ts';
import type { Clock } from '../domain/clock.ts';
import { type Closing, earliest } from '../domain/closing.ts';
import {
  type Caller,
  clustersOf,
  type Experiment,
  type Fault,
  type RequestedExperiment,
} from '../domain/experiment.ts';
import { irreversibleOf } from '../domain/faults/catalogue.ts';
import { problem } from '../domain/problem.ts';
import type { ResolvedTargets } from '../domain/targets.ts';
import type { Configuration } from '../engines/configuration.ts';
import type { Settling } from '../engines/engine.ts';
import { engineOf } from '../engines/registry.ts';
import { CHECKS } from './checks.ts';
import { Findings } from './findings.ts';
import { plan } from './plan.ts';
import type { AdmissionPorts } from './ports.ts';
import { approvalDemand, standingApprovalFor } from './rights.ts';
import { refuseTooLarge } from './size.ts';
import { worstCase } from './worst-case.ts';

/**
 * Asks the ordered refusals (checks.ts) about every cluster of the experiment and stops at the first no. A check that
 * cannot be made is a no. Nothing is changed or reserved.
 * @param isAnnounced people were told, and the announced time has come
 * @returns of what was chosen by roles, the experiment with names: from here on there is no other
 */
export async function admit(
  requested: RequestedExperiment,
  configuration: Configuration,
  ports: AdmissionPorts,
  clock: Clock,
  documentPrefix: string,
  caller: Caller,
  { isAnnounced = false }: { isAnnounced?: boolean } = {},
): Promise<Admission> {
  const leadSeconds = leadOf(requested, configuration);
  const wouldRun: PlannedAct[] = [];
  const exemptAddresses: ResolvedTargets['exemptAddresses'] = {};
  const facts: AdmissionFacts = { clusters: [], targets: [], irreversible: irreversibleOf(requested.faults) };
  const named = new Map<string, Fault>();
  const closings: Closing[] = [];
  for (const clusterName of clustersOf(requested)) {
    const start = { leadSeconds, isAnnounced };
    const findings = new Findings(requested, clusterName, configuration, ports, clock, caller, start);
    for (const { name, refuse, whenUnknown } of CHECKS) {
      try {
        const refusal = await refuse(findings);
        if (refusal) return { admitted: false, problem: refusal };
      } catch (error) {
        const detail = `not started: "${name}" could not be checked for ${clusterName}: ${messageOf(error)}`;
        return { admitted: false, problem: problem(whenUnknown ?? 'control-plane-unknown', detail, { check: name }) };
      }
    }
    const faults = await findings.faults();
    for (const fault of faults) named.set(fault.faultId, fault);
    const { commands, services } = plan(requested, faults, await findings.targets(), configuration, documentPrefix);
    facts.clusters.push(await clusterFacts(findings, configuration, services));
    facts.targets.push(...(await findings.targets()).faults);
    closings.push(...findings.closings);
    wouldRun.push(...commands, ...services);
    Object.assign(exemptAddresses, (await findings.targets()).exemptAddresses);
  }
  // In the order of the payload again.
  const experiment: Experiment = {
    ...requested,
    faults: requested.faults.flatMap(({ faultId }) => named.get(faultId) ?? []),
  };
  const tooLarge = refuseTooLarge(experiment, { faults: facts.targets, exemptAddresses }, wouldRun);
  if (tooLarge) return { admitted: false, problem: tooLarge };
  const approval = approvalDemand(experiment, facts, caller, configuration);
  if (approval) facts.approval = approval;
  const standingApproval = standingApprovalFor(requested, caller, configuration);
  if (standingApproval) facts.standingApproval = standingApproval;
  if (leadSeconds !== undefined) facts.leadSeconds = leadSeconds;
  const closing = earliest(closings);
  if (closing) facts.closing = closing;
  return { admitted: true, experiment, facts, wouldRun };
}

/** Undefined: nobody has to be told. */
function leadOf(
  requested: RequestedExperiment,
  { clusters, notifications: { announce } }: Configuration,
): number | undefined {
  const tiered = clustersOf(requested).flatMap((cluster) => {
    const tier = Object.hasOwn(clusters, cluster) ? clusters[cluster]?.tier : undefined;
    return tier ? [{ cluster, tier }] : [];
  });
  return announce && mustBeAnnounced(tiered, announce) ? announce.leadSeconds : undefined;
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
  const { warnings: seen = [] } = await findings.topology();
  const settling = engineOf(findings.cluster).settlesAfter?.(await findings.faults()) ?? [];
  const warnings = [...seen, ...settling.map(settlingText)];
  // Whatever is refused for a loss was refused before.
  const loss = await findings.loss();
  return {
    cluster: clusterName,
    tier: cluster.tier,
    liveNodes,
    impactedNodes,
    impactedNodesPct: (100 * impactedNodes) / liveNodes,
    impactedShards: (await findings.impactedShards()).map(({ name }) => name),
    trafficSharePct: 100 * (await findings.trafficShare()),
    ...limitsOf(cluster),
    ...(scalingGroups.length > 0 ? { scalingGroups: scalingGroups.map(({ keeps: _keeps, ...group }) => group) } : {}),
    ...(loss ? { toleratedLoss: loss.detail } : {}),
    ...(warnings.length > 0 ? { warnings } : {}),
    guardrails: await findings.guardrails(),
    worstCase: worstCase(
      cluster,
      leaseGraceSeconds,
      experiment.durationSeconds,
      services,
      engineOf(cluster).refuseDuring !== undefined,
    ),
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function settlingText({ faultId, nodes, seconds, why }: Settling): string {
  return `${faultId}: after the rollback the recovery waits ${seconds} s for ${nodes.join(', ')}: ${why}`;
}
