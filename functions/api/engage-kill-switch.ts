import type { SafetyLever } from '../aws/fis/safety-lever.ts';
import type { HostCommands } from '../aws/host-commands.ts';
import { type AnnouncedNode, announcedNodes } from '../domain/announced-nodes.ts';
import type { Clock } from '../domain/clock.ts';
import type { Caller } from '../domain/experiment.ts';
import type { EngageStep } from '../domain/kill-switch.ts';
import { switchLogIdOf } from '../domain/kill-switch.ts';
import { cut, firstLines, MAX_LINE_CHARACTERS } from '../domain/limits.ts';
import { problem } from '../domain/problem.ts';
import { KILL_SWITCH_HOST_MS, KILL_SWITCH_STEP_MS } from '../domain/timing.ts';
import { withDeadline } from '../domain/with-deadline.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import { engageSwitch } from '../tables/engage-switch.ts';
import type { KillSwitches } from '../tables/kill-switches.ts';
import type { Leases } from '../tables/leases.ts';
import type { Locks } from '../tables/locks.ts';
import { type Answer, refusal } from './answer.ts';

const MAX_SHOWN = 5;

export interface EngageDependencies {
  switches: Pick<KillSwitches, 'engage'>;
  leases: Pick<Leases, 'release'>;
  locks: Pick<Locks, 'list'>;
  audit: Pick<AuditLog, 'append' | 'beginAppend' | 'read'>;
  hosts: HostCommands;
  /** Absent: the configuration does not let us. */
  lever?: Pick<SafetyLever, 'engage'> | undefined;
  clock: Clock;
  /** Full name of the roll-back document. */
  document: string;
}

export interface EngageRequest {
  /** Absent: all clusters. */
  cluster?: string | undefined;
  reason: string;
  caller: Caller;
}

/**
 * `POST …/kill-switch`: the switch, which alone frees every host within a poll; then, side by side, the leases of the
 * experiments that it is for, FIS's safety lever, and a revert on every host that may have a fault. What fails keeps
 * nothing else from being tried. It engages and nothing else: repeating it changes nothing, and no request undoes it here.
 */
export async function engageKillSwitch(request: EngageRequest, dependencies: EngageDependencies): Promise<Answer> {
  const { cluster, reason, caller } = request;
  const { audit, clock } = dependencies;
  let engaged: Awaited<ReturnType<typeof engageSwitch>> | undefined;
  let failure = '';
  try {
    engaged = await engageSwitch({ cluster, reason, by: caller.arn, actor: caller }, dependencies);
  } catch (error) {
    failure = messageOf(error);
    log.error('kill switch not engaged', { cluster, reason, by: caller.arn, error: failure });
  }
  const alreadyEngaged = engaged?.engaged === false;
  const turned = alreadyEngaged ? 'it was engaged already' : 'no beat counts any more, and nothing starts';
  const steps: EngageStep[] = [
    engaged ? done('SWITCH', turned) : { step: 'SWITCH', outcome: 'FAILED', detail: failure },
    ...(await furtherSteps(request, dependencies)),
  ];
  let recorded = false;
  try {
    await withDeadline(engaged?.recorded ?? Promise.reject(new Error('it was not engaged')), clock);
    const details = { alreadyEngaged, steps };
    await withDeadline(audit.append(switchLogIdOf(cluster), 'KILL_SWITCH_ENGAGED', caller, details), clock);
    recorded = true;
  } catch (error) {
    log.error('kill switch not recorded', { cluster, reason, by: caller.arn, steps, error: messageOf(error) });
  }
  const body = {
    engaged: engaged !== undefined,
    ...(cluster === undefined ? {} : { cluster }),
    alreadyEngaged,
    recorded,
  };
  if (engaged) return { status: 200, body: { ...body, steps } };
  const detail = `not engaged: ${failure}. Engage it with the command of docs/runbook.md, and repeat this.`;
  return refusal(problem('kill-switch-not-engaged', cut(detail, 1000), { ...body, steps }));
}

/** In the order in which they are told; none waits for another. */
async function furtherSteps(request: EngageRequest, dependencies: EngageDependencies): Promise<EngageStep[]> {
  const { cluster } = request;
  const { locks, lever, clock } = dependencies;
  const held = locks
    .list()
    .then((all) => all.filter((lock) => cluster === undefined || lock.cluster === cluster))
    .then((all) => [...new Set(all.map(({ experimentId }) => experimentId))]);
  const attempt = async (step: EngageStep['step'], act: Promise<EngageStep>): Promise<EngageStep> => {
    try {
      return await withDeadline(act, clock, KILL_SWITCH_STEP_MS);
    } catch (error) {
      log.error('kill switch: a step failed', { step, error: messageOf(error) });
      return { step, outcome: 'FAILED', detail: cut(messageOf(error), 1000) };
    }
  };
  return Promise.all([
    attempt('LEASES', releaseLeases(held, request, dependencies)),
    attempt('SAFETY_LEVER', engageLever(request, lever)),
    attempt('HOSTS', revertHosts(held, dependencies)),
  ]);
}

/** A cluster's switch is no row that hosts read: the leases of its experiments are. */
async function releaseLeases(
  held: Promise<string[]>,
  { reason, caller }: EngageRequest,
  { leases }: EngageDependencies,
): Promise<EngageStep> {
  const experiments = await held;
  if (experiments.length === 0) return { step: 'LEASES', outcome: 'NOT_NEEDED', detail: 'no experiment runs' };
  const detail = `the kill switch was engaged by ${caller.arn}: ${reason}`;
  const released = await Promise.allSettled(experiments.map((id) => leases.release(id, 'KILL_SWITCH', detail)));
  const failed = released.flatMap((each, at) =>
    each.status === 'rejected' ? [`${experiments[at]}: ${messageOf(each.reason)}`] : [],
  );
  if (failed.length > 0) throw new Error(shown(failed));
  return done('LEASES', `released: ${shown(experiments)}`);
}

async function engageLever(
  { cluster, reason }: EngageRequest,
  lever: EngageDependencies['lever'],
): Promise<EngageStep> {
  const notNeeded = (detail: string): EngageStep => ({ step: 'SAFETY_LEVER', outcome: 'NOT_NEEDED', detail });
  if (cluster !== undefined) return notNeeded('it is one for the whole account: left alone for a single cluster');
  if (!lever) return notNeeded('killSwitch.fisSafetyLever is not set: rollbacks end faults in FIS');
  const found = await lever.engage(reason);
  const said = {
    NOW: 'engaged: FIS ends what runs and starts nothing',
    BEFORE: `it was engaged already, by this stack: ${found.reason}`,
    FOREIGN: `it was engaged already, by somebody else, and stays so when this is re-armed: ${found.reason}`,
  };
  return done('SAFETY_LEVER', cut(said[found.engaged], MAX_LINE_CHARACTERS));
}

/** Where a host cannot read its lease, it reverts within its grace; this is quicker, and needs no state machine. */
async function revertHosts(held: Promise<string[]>, { audit, hosts, clock, document }: EngageDependencies) {
  const experiments = await held;
  const logs = await Promise.allSettled(
    experiments.map(async (id) => ({ id, nodes: announcedNodes(await withDeadline(audit.read(id), clock)) })),
  );
  const unknown = logs.flatMap((each, at) =>
    each.status === 'rejected' ? [`${experiments[at]}: its log cannot be read: ${messageOf(each.reason)}`] : [],
  );
  const known = logs.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const targets = known.flatMap(({ id, nodes }) => nodes.map((node) => ({ experimentId: id, ...node })));
  const sent = await Promise.all(targets.map((target) => revert(target, { hosts, document })));
  const failed = [...unknown, ...sent.flatMap((problemOfHost) => problemOfHost ?? [])];
  if (failed.length > 0) throw new Error(`${shown(failed)}; the lease of each host ends its fault`);
  if (targets.length === 0) return { step: 'HOSTS', outcome: 'NOT_NEEDED', detail: 'no host has a fault' } as const;
  return done('HOSTS', `a revert was sent to ${shown(targets.map(({ node }) => node))}`);
}

/** @returns what is wrong, or undefined. One that was sent and is not over yet is not wrong: the rollback looks at it. */
async function revert(
  { experimentId, node, instanceId, faultId }: AnnouncedNode & { experimentId: string },
  { hosts, document }: Pick<EngageDependencies, 'hosts' | 'document'>,
): Promise<string | undefined> {
  const parameters = { experimentId, faultId, verb: 'revert' };
  const { status, detail } = await hosts.run({ document, instanceId, parameters }, KILL_SWITCH_HOST_MS);
  return status === 'NOT_SENT' ? `${node}: nothing was sent: ${detail}` : undefined;
}

function done(step: EngageStep['step'], detail: string): EngageStep {
  return { step, outcome: 'DONE', detail };
}

function shown(lines: readonly string[]): string {
  return firstLines([...new Set(lines)], MAX_SHOWN, MAX_LINE_CHARACTERS).join(', ');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
