import { ACTIVE_EXPERIMENTS_QUOTA } from '../aws/fis/experiments.ts';
import { alarmsNotOk } from '../domain/alarms.ts';
import { limitsOf, refuseTooManyNodes, refuseTooMuchTraffic } from '../domain/blast-radius.ts';
import { whyNotConfirmed } from '../domain/canary-first.ts';
import { whyClosed } from '../domain/change-calendar.ts';
import { ErrorName, WorkflowError } from '../domain/errors.ts';
import { fisKindOf, isFisFaultKind, isReplacedAfter, refusalOf } from '../domain/faults/catalogue.ts';
import {
  clusterLocked,
  type FieldError,
  killSwitchEngaged,
  type Problem,
  type ProblemSlug,
  problem,
} from '../domain/problem.ts';
import { nodesHitBy } from '../domain/resolve-targets.ts';
import { refuseReplacement } from '../domain/scaling-groups.ts';
import { LOOK_ON_SECONDS } from '../domain/timing.ts';
import { membersOf, topologyProblems } from '../domain/topology.ts';
import { openUntil, windowText } from '../domain/window.ts';
import type { Reading } from '../domain/workflow.ts';
import { mayExceedReplication } from '../engines/may-exceed-replication.ts';
import { recoverySecondsOf } from '../engines/recovery-seconds.ts';
import { engineOf } from '../engines/registry.ts';
import type { Findings } from './findings.ts';
import { measureErrors } from './measures.ts';
import { refuseLongerThanProbe } from './probe-life.ts';
import { refuseUnpermitted, refuseWithoutApproval } from './rights.ts';

const DAY_MS = 86_400_000;

/** One reason not to start: looks, and says why not, with numbers, or undefined. */
export interface Check {
  name: string;
  refuse(findings: Findings): Promise<Problem | undefined>;
  /** Which problem it is when the check itself fails; `control-plane-unknown` unless said otherwise. */
  whenUnknown?: ProblemSlug;
}

/** The refusals in the order in which they are asked: the cheap and the general before the costly and the special. */
export const CHECKS: readonly Check[] = [
  // First: a cluster that is not configured has no switch, and would be refused as if its row were lost.
  { name: 'cluster', refuse: refuseUnknownCluster },
  { name: 'kill switch', refuse: refuseWhenKillSwitchEngaged },
  { name: 'rights', refuse: refuseUnpermitted },
  { name: 'approval', refuse: refuseWithoutApproval },
  { name: 'hypothesis', refuse: refuseUnknownMeasures },
  { name: 'choices of the probe', refuse: refuseUnknownChoices },
  { name: 'kind policy', refuse: refuseForbiddenKind },
  { name: 'probe', refuse: refuseUnmeasurable },
  { name: 'canary first', refuse: refuseUnlessConfirmedOnCanary },
  { name: 'window', refuse: refuseOutsideWindow },
  { name: 'change calendar', refuse: refuseClosedCalendar },
  { name: 'lock', refuse: refuseLockedCluster },
  { name: 'chosen nodes', refuse: refuseUncertainChoice },
  { name: 'nodes', refuse: refuseUnknownNodes },
  { name: 'instance store', refuse: refuseLossOfInstanceStore },
  { name: 'Auto Scaling', refuse: refuseReplacedTargets },
  { name: 'share of nodes', refuse: refuseShareOfNodes },
  { name: 'replication', refuse: refuseWhatReplicationCannotSurvive },
  { name: 'probed roles', refuse: refuseWhatTheProbeWouldNotSee },
  { name: 'share of traffic', refuse: refuseShareOfTraffic, whenUnknown: 'telemetry-unavailable' },
  { name: 'alarms', refuse: refuseFiringAlarms },
  { name: 'service quota', refuse: refuseBeyondServiceQuota },
  { name: 'guardrails', refuse: refuseBreachedGuardrails, whenUnknown: 'telemetry-unavailable' },
  { name: 'steady state', refuse: refuseUnsteady, whenUnknown: 'telemetry-unavailable' },
  { name: 'store health', refuse: refuseUnhealthyStore },
  { name: 'targets', refuse: refuseUnresolvedTargets },
];

async function refuseWhenKillSwitchEngaged({ ports, clusterName }: Findings): Promise<Problem | undefined> {
  const engaged = await ports.engagedSwitch(clusterName);
  return engaged && killSwitchEngaged(engaged);
}

async function refuseUnknownCluster({ clusterNames, clusterName }: Findings): Promise<Problem | undefined> {
  if (clusterNames.includes(clusterName)) return undefined;
  const errors = [
    { field: 'targetService', message: `${clusterName} is not configured`, allowed: clusterNames.join(', ') },
  ];
  return problem('unknown-cluster', `not started: ${clusterName} is not a cluster of this deployment`, { errors });
}

/** What nobody measures there, or in another unit. */
async function refuseUnknownMeasures({ experiment, cluster, clusterName }: Findings): Promise<Problem | undefined> {
  const { hypothesis } = experiment;
  const errors = hypothesis ? measureErrors(hypothesis, clusterName, cluster, engineOf(cluster)) : [];
  if (errors.length === 0) return undefined;
  const fields = errors.map(({ field }) => field).join(', ');
  return problem('invalid-request', `not valid: ${fields}`, { errors });
}

/** A choice that the engine's probe does not have would be ignored silently. */
async function refuseUnknownChoices({ experiment, cluster, clusterName }: Findings): Promise<Problem | undefined> {
  const known: readonly string[] = engineOf(cluster).probeChoices ?? [];
  const errors = Object.keys(experiment.probe ?? {})
    .filter((choice) => !known.includes(choice))
    .map((choice) => ({
      field: `probe.${choice}`,
      message: `is no choice of the probe of ${clusterName} (${cluster.engine})`,
      allowed: known.join(', ') || 'nothing: leave it out',
    }));
  if (errors.length === 0) return undefined;
  const fields = errors.map(({ field }) => field).join(', ');
  return problem('invalid-request', `not valid: ${fields}`, { errors });
}

/** What the kind itself says of this cluster: no payload can change it. */
async function refuseForbiddenKind({ requested, cluster, clusterName }: Findings): Promise<Problem | undefined> {
  const refusals = requested.flatMap(({ faultId, kind, parameters }) => {
    const { ports, tellsUptime, refuseTermination } = engineOf(cluster);
    const restarts = isFisFaultKind(kind) && fisKindOf(kind).restartsStore === true;
    const reason =
      restarts && !tellsUptime
        ? `nobody could say that the store was restarted: ${cluster.engine} does not tell for how long it has run`
        : isReplacedAfter(kind) && !refuseTermination
          ? `nobody could say that another instance has taken its place: ${cluster.engine} keeps in mind a node that is gone`
          : refusalOf(parameters, cluster, ports);
    return reason === undefined ? [] : [{ faultId, kind, reason }];
  });
  if (refusals.length === 0) return undefined;
  const reasons = refusals.map(({ reason }) => reason).join('; ');
  return problem('fault-not-allowed', `not started: not on ${clusterName}: ${reasons}`, { refusals });
}

async function refuseUnmeasurable({ experiment, requested, cluster }: Findings): Promise<Problem | undefined> {
  // Who is hit may not be known yet, and makes no difference.
  const faults = requested.map((fault) => ({ ...fault, impactedNodes: fault.impactedNodes ?? [] }));
  const hasFisFaults = experiment.faults.some(({ kind }) => isFisFaultKind(kind));
  const recoverySeconds = recoverySecondsOf(cluster, faults) + (experiment.hypothesis ? LOOK_ON_SECONDS : 0);
  return refuseLongerThanProbe(experiment.durationSeconds, recoverySeconds, hasFisFaults);
}

/** Where the configuration says so: nothing that did not go well on the canary before. */
async function refuseUnlessConfirmedOnCanary({
  cluster,
  clusterName,
  requested,
  ports,
  clock,
}: Findings): Promise<Problem | undefined> {
  const { canaryFirst } = cluster;
  if (!canaryFirst) return undefined;
  const sinceEpochMs = clock.nowEpochMs() - canaryFirst.withinDays * DAY_MS;
  const kinds = [...new Set(requested.map(({ kind }) => kind))];
  const runs = await Promise.all(kinds.map((kind) => ports.runsOn(canaryFirst.cluster, kind, sinceEpochMs)));
  const reasons = kinds.flatMap((kind, index) => whyNotConfirmed(kind, canaryFirst, runs[index] ?? []) ?? []);
  if (reasons.length === 0) return undefined;
  const detail = `not started: ${clusterName} comes after ${canaryFirst.cluster}: ${reasons.join('; ')}`;
  return problem('not-confirmed-on-canary', detail, { cluster: clusterName, canaryFirst });
}

/** A fault may begin late and live for all of its duration: one that could outlast the window would, when nobody is there any more. */
async function refuseOutsideWindow(findings: Findings): Promise<Problem | undefined> {
  const { cluster, clusterName, clock, livesSeconds } = findings;
  const { window } = cluster;
  if (!window) return undefined;
  const nowMs = clock.nowEpochMs();
  const now = new Date(nowMs).toISOString();
  const closesAtMs = openUntil(window, nowMs);
  const when = `experiments on ${clusterName} may run on ${windowText(window)}`;
  if (closesAtMs === undefined) return problem('outside-window', `not started: ${when}`, { window, now });
  const closesAt = new Date(closesAtMs).toISOString();
  findings.closings.push({ at: closesAt, what: `the window of ${clusterName}` });
  const leftSeconds = (closesAtMs - nowMs) / 1000;
  if (livesSeconds <= leftSeconds) return undefined;
  const detail = `not started: ${when}, which ends in ${Math.floor(leftSeconds)} s, and the fault may live for the next ${livesSeconds} s`;
  return problem('outside-window', detail, { window, now, closesAt, ...spanOf(findings) });
}

async function refuseClosedCalendar(findings: Findings): Promise<Problem | undefined> {
  const { cluster, clock, livesSeconds, ports } = findings;
  const { changeCalendar } = cluster;
  if (changeCalendar === undefined) return undefined;
  const now = await ports.changeCalendar(changeCalendar);
  const reason = whyClosed(now, clock.nowEpochMs(), livesSeconds);
  if (reason !== undefined) {
    const detail = `not started: change calendar ${changeCalendar} ${reason}`;
    return problem('outside-window', detail, { changeCalendar, ...now, ...spanOf(findings) });
  }
  if (now.changesAt !== undefined) {
    findings.closings.push({ at: now.changesAt, what: `the open time of change calendar ${changeCalendar}` });
  }
  return undefined;
}

/** How long the fault may live from now on. */
function spanOf({ experiment, beginsWithinSeconds }: Findings) {
  return { beginsWithinSeconds, durationSeconds: experiment.durationSeconds };
}

async function refuseLockedCluster({ ports, clusterName }: Findings): Promise<Problem | undefined> {
  const holder = await ports.lockHolder(clusterName);
  return holder === undefined ? undefined : clusterLocked(clusterName, holder);
}

/** What the request chose by roles must be certain; two roles may be those of one node, which may bear only one of the faults. */
async function refuseUncertainChoice(findings: Findings): Promise<Problem | undefined> {
  if (findings.requested.every(({ impactedNodes }) => impactedNodes)) return undefined;
  // Where nobody tells of a shard, why they do not says more than that no role is known.
  if ((await findings.topology()).shards.length === 0) return refuseUnhealthyStore(findings);
  const errors = (await findings.choices()).flatMap((choice) => (choice.ok ? [] : choice.errors));
  if (errors.length > 0) return refusedFields('unknown-node', errors);
  const conflicting = await findings.conflicts();
  return conflicting.length > 0 ? refusedFields('fault-not-allowed', conflicting) : undefined;
}

function refusedFields(slug: ProblemSlug, errors: FieldError[]): Problem {
  const detail = `not started: ${errors.map(({ field, message }) => `${field} ${message}`).join('; ')}`;
  return problem(slug, detail, { errors });
}

/** Every named node must run in EC2 and be known to the store: a name that fits nothing must not fit by chance. */
async function refuseUnknownNodes(findings: Findings): Promise<Problem | undefined> {
  const liveNames = (await findings.liveNodes()).map(({ name }) => name);
  const named = await findings.named();
  const doubled = named.filter((name) => liveNames.filter((live) => live === name).length > 1);
  const topology = await findings.topology();
  const storeNames = topology.shards.flatMap(membersOf);
  // Where nobody tells of a shard, why they do not says more than that every node is unknown.
  if (topology.shards.length === 0) return refuseUnhealthyStore(findings);
  const errors = named.flatMap((name) => {
    const allowed = liveNames.join(', ');
    if (!liveNames.includes(name))
      return [{ field: name, message: 'is not a running instance of the cluster', allowed }];
    if (doubled.includes(name)) return [{ field: name, message: 'is the name of several running instances', allowed }];
    if (!storeNames.includes(name))
      return [{ field: name, message: 'is not in the store', allowed: storeNames.join(', ') }];
    return [];
  });
  if (errors.length === 0) return undefined;
  const names = errors.map(({ field }) => field).join(', ');
  return problem('unknown-node', `not started: not exactly one live node of ${findings.clusterName}: ${names}`, {
    errors,
  });
}

/** An instance that is stopped loses what lies on its instance store, whoever starts it again. */
async function refuseLossOfInstanceStore(findings: Findings): Promise<Problem | undefined> {
  const { cluster, clusterName, ports } = findings;
  const faults = await findings.faults();
  const stopped = new Set(
    faults.filter(({ kind }) => kind === 'INSTANCE_STOP').flatMap((fault) => fault.impactedNodes),
  );
  if (stopped.size === 0 || cluster.instanceStoreDataMayBeLost) return undefined;
  const nodes = (await findings.liveNodes()).filter(({ name }) => stopped.has(name));
  const stored = await ports.instanceStoreOf(nodes.map(({ instanceId }) => instanceId));
  const lost = nodes.filter(({ instanceId }) => stored.includes(instanceId)).map(({ name }) => name);
  if (lost.length === 0) return undefined;
  const detail = `not started: INSTANCE_STOP would lose what is on the instance store of ${lost.join(', ')}; ${clusterName} is not configured with instanceStoreDataMayBeLost`;
  return problem('fault-not-allowed', detail, { nodes: lost });
}

async function refuseReplacedTargets(findings: Findings): Promise<Problem | undefined> {
  const groups = await findings.scalingGroups();
  const refusal = refuseReplacement(
    await findings.faults(),
    await findings.liveNodes(),
    groups,
    engineOf(findings.cluster).minHealthCheckGraceSeconds,
  );
  if (refusal !== undefined) return problem('fault-not-allowed', `not started: ${refusal}`, { scalingGroups: groups });
  const terminated = (await findings.faults()).filter(({ kind }) => isReplacedAfter(kind));
  const names = nodesHitBy(terminated, await findings.liveNodes()).map(({ name }) => name);
  const kept = engineOf(findings.cluster).refuseTermination?.(await findings.topology(), names);
  return kept === undefined ? undefined : problem('fault-not-allowed', `not started: ${kept}`, { nodes: names });
}

async function refuseShareOfNodes(findings: Findings): Promise<Problem | undefined> {
  const hit = await findings.hit();
  return refuseTooManyNodes(hit.length, (await findings.liveNodes()).length, limitsOf(findings.cluster));
}

async function refuseWhatReplicationCannotSurvive(findings: Findings): Promise<Problem | undefined> {
  const refusal = await findings.loss();
  // Whoever takes the place of an instance copies its data from those that are left.
  const isReplaced = findings.requested.some(({ kind }) => isReplacedAfter(kind));
  if (!refusal || (mayExceedReplication(findings.cluster) && !isReplaced)) return undefined;
  return problem('blast-radius-exceeded', refusal.detail, refusal.numbers);
}

/** A fault that no client of ours can feel would be survived by any store. */
async function refuseWhatTheProbeWouldNotSee(findings: Findings): Promise<Problem | undefined> {
  const hit = (await findings.hit()).map(({ name }) => name);
  const refusal = engineOf(findings.cluster).refuseUnmeasured?.(await findings.topology(), hit);
  return refusal && problem('fault-not-allowed', `not started: ${refusal.detail}`, refusal.numbers);
}

async function refuseShareOfTraffic(findings: Findings): Promise<Problem | undefined> {
  return refuseTooMuchTraffic(await findings.trafficShare(), limitsOf(findings.cluster));
}

async function refuseFiringAlarms({ cluster, ports }: Findings): Promise<Problem | undefined> {
  const notOk = await alarmsNotOk(cluster.alarms, (names) => ports.readAlarmStates(names));
  if (notOk.length === 0) return undefined;
  const detail = `not started: ${notOk.map(({ name, state }) => `${name} is ${state}`).join(', ')}`;
  return problem('alarm-firing', detail, { alarms: notOk });
}

/** The quota is the account's in its Region, for everybody's experiments, and all faults of one run end together. */
async function refuseBeyondServiceQuota({ experiment, fisFaults, ports }: Findings): Promise<Problem | undefined> {
  if (fisFaults.length === 0) return undefined;
  const wanted = experiment.faults.filter(({ kind }) => isFisFaultKind(kind)).length;
  const active = await ports.activeFisExperiments();
  const numbers = { active, wanted, quota: ACTIVE_EXPERIMENTS_QUOTA };
  if (active + wanted <= ACTIVE_EXPERIMENTS_QUOTA) return undefined;
  const detail = `not started: ${active} FIS experiments are active and ${wanted} more are asked for: at most ${ACTIVE_EXPERIMENTS_QUOTA} in this account and Region`;
  return problem('service-quota', detail, numbers);
}

async function refuseBreachedGuardrails(findings: Findings): Promise<Problem | undefined> {
  const readings = await findings.guardrails();
  const missing = Object.keys(findings.cluster.guardrails).filter(
    (name) => !readings.some((r) => r.guardrail === name),
  );
  const blind = readings.filter(isBlind);
  if (missing.length > 0 || blind.length > 0) {
    const names = [...missing, ...blind.map(({ guardrail, reason }) => `${guardrail}${reason ? ` (${reason})` : ''}`)];
    const detail = `not started: no fresh reading of ${names.join(', ')}`;
    return problem('telemetry-unavailable', detail, { guardrails: readings });
  }
  const breached = readings.filter((reading) => reading.breached);
  if (breached.length === 0) return undefined;
  const detail = `not started: ${breached.map((r) => r.reason ?? `${r.guardrail} is ${r.value} ${r.unit}, limit ${r.limit}`).join('; ')}`;
  return problem('steady-state-not-met', detail, { guardrails: readings });
}

async function refuseUnsteady({ experiment, ports, clusterName, cluster }: Findings): Promise<Problem | undefined> {
  if (!experiment.hypothesis) return undefined;
  const readings = await ports.readChecks(clusterName, cluster, experiment.hypothesis);
  const unmet = readings.filter(({ held }) => !held);
  if (unmet.length === 0) return undefined;
  const detail = `not started: ${unmet.map(({ check, reason }) => `${check}: ${reason}`).join('; ')}`;
  const unread = unmet.some(({ value }) => value === undefined);
  return problem(unread ? 'telemetry-unavailable' : 'steady-state-not-met', detail, { checks: readings });
}

function isBlind({ value, ageSeconds, maxAgeSeconds }: Reading): boolean {
  return value === undefined || Number.isNaN(value) || ageSeconds === undefined || ageSeconds > maxAgeSeconds;
}

async function refuseUnhealthyStore(findings: Findings): Promise<Problem | undefined> {
  const problems = topologyProblems(await findings.topology());
  if (problems.length === 0) return undefined;
  return problem('steady-state-not-met', `not started: the store is not healthy: ${problems.join('; ')}`, { problems });
}

/** What the state machine resolves again just before injection; what it would refuse there is refused here. */
async function refuseUnresolvedTargets(findings: Findings): Promise<Problem | undefined> {
  try {
    await findings.targets();
    return undefined;
  } catch (error) {
    if (!(error instanceof WorkflowError && error.name === ErrorName.TargetsUnresolved)) throw error;
    return problem('fault-not-allowed', `not started: ${error.message}`);
  }
}
