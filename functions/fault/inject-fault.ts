import type { AuditLog } from '../audit/audit-log.ts';
import { ErrorName, WorkflowError } from '../experiment/errors.ts';
import { scriptName } from '../experiment/faults.ts';
import type { Injection } from '../experiment/workflow.ts';
import { type LeaseStore, leaseReleased } from '../guard/lease.ts';
import type { Clock } from '../shared/clock.ts';
import { grantFor } from './grant.ts';
import type { NodeCommand } from './node-command.ts';
import type { CommandResult, HostCommands } from './ssm.ts';

const ACTOR = { function: 'inject-fault' };
/** Two beats: the guard has seen fresh data and has come back to see more. */
const MIN_BEAT = 2;
const WATCH_DEADLINE_MS = 15_000;
/** Started just before: connects, writes, and finds its write on the impacted nodes. */
const PROBE_DEADLINE_MS = 8_000;
const WATCH_POLL_MS = 250;
/** The host program answers within 15 s of its start; the rest is delivery. */
const COMMAND_DEADLINE_MS = 40_000;

export interface InjectDependencies {
  leases: Pick<LeaseStore, 'read' | 'grant' | 'setHoldUntil'>;
  audit: Pick<AuditLog, 'append' | 'read'>;
  hosts: HostCommands;
  clock: Clock;
  documentPrefix: string;
}

/**
 * Injects under a watched lease: watched and measured → recorded → granted → sent → confirmed by every host. Anything
 * less than APPLIED from all of them is indeterminate, and indeterminate means injected: the caller rolls back.
 *
 * @throws WorkflowError InjectionFailed, or LeaseReleased when the right to go on ended on the way.
 */
export async function injectFault(
  experimentId: string,
  durationSeconds: number,
  commands: readonly NodeCommand[],
  dependencies: InjectDependencies,
): Promise<Injection> {
  const { leases, audit, hosts, clock, documentPrefix } = dependencies;
  await waitUntilObserved(experimentId, dependencies);
  await audit.append(experimentId, 'INJECTING', ACTOR, { commands });
  let results: CommandResult[] = [];
  try {
    const grants = commands.map(({ instanceId, parameters }) => grantFor(instanceId, parameters));
    await leases.grant(experimentId, grants);
    results = await Promise.all(
      commands.map(({ kind, instanceId, parameters }) =>
        hosts.run({ document: `${documentPrefix}${scriptName(kind)}`, instanceId, parameters }, COMMAND_DEADLINE_MS),
      ),
    );
    const failures = commands.flatMap((command, index) => failureOf(command, results[index]));
    if (failures.length > 0) throw new WorkflowError(ErrorName.InjectionFailed, failures.join('; '));

    const injectedAtMs = clock.nowEpochMs();
    const injection: Injection = {
      injectedAt: new Date(injectedAtMs).toISOString(),
      rollbackScheduledAt: new Date(injectedAtMs + durationSeconds * 1000).toISOString(),
    };
    // Conditional on HOLD: a lease that went meanwhile is told here.
    await leases.setHoldUntil(experimentId, injection.rollbackScheduledAt);
    await audit.append(experimentId, 'INJECTED', ACTOR, { ...injection, nodes: nodeDetails(commands, results) });
    return injection;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    await audit
      .append(experimentId, 'INJECTION_FAILED', ACTOR, { reason, nodes: nodeDetails(commands, results) })
      // The rollback that follows matters more than this entry.
      .catch(() => undefined);
    if (error instanceof WorkflowError) throw error;
    throw new WorkflowError(ErrorName.InjectionFailed, reason, { cause: error });
  }
}

/** Nothing is injected that nobody watches, and nothing whose effect on a client nobody measures. */
async function waitUntilObserved(experimentId: string, { leases, audit, clock }: InjectDependencies): Promise<void> {
  const startedMs = clock.monotonicMs();
  let measured = false;
  for (;;) {
    const lease = await leases.read(experimentId);
    if (lease?.state !== 'HOLD') throw leaseReleased(experimentId, lease);
    const watched = lease.beat >= MIN_BEAT;
    measured ||= (await audit.read(experimentId)).some(({ type }) => type === 'PROBE_READY');
    if (watched && measured) return;
    const waitedMs = clock.monotonicMs() - startedMs;
    if (!watched && waitedMs >= WATCH_DEADLINE_MS) {
      const message = `nobody watches: beat ${lease.beat} after ${WATCH_DEADLINE_MS / 1000} s, at least ${MIN_BEAT}`;
      throw new WorkflowError(ErrorName.InjectionFailed, message);
    }
    if (!measured && waitedMs >= PROBE_DEADLINE_MS) {
      const message = `nobody measures: the probe was not ready within ${PROBE_DEADLINE_MS / 1000} s`;
      throw new WorkflowError(ErrorName.InjectionFailed, message);
    }
    await clock.sleep(WATCH_POLL_MS);
  }
}

/** Only a report of this fault that says APPLIED counts, whatever SSM thinks of the command. */
function failureOf({ node, faultId }: NodeCommand, result: CommandResult | undefined): string[] {
  const report = result?.report;
  if (result?.status === 'Success' && report?.state === 'APPLIED' && report.faultId === faultId) return [];
  const said = report ? `${report.state}${report.reason ? `, ${report.reason}` : ''}` : 'no report';
  return [`${node}: ${said} (SSM: ${result?.status ?? 'not asked'}${result?.detail ? `, ${result.detail}` : ''})`];
}

function nodeDetails(commands: readonly NodeCommand[], results: readonly CommandResult[]) {
  return commands.map(({ node, instanceId, faultId }, index) => {
    const { status, report } = results[index] ?? { status: 'NOT_SENT' };
    return {
      node,
      instanceId,
      faultId,
      status,
      state: report?.state,
      reason: report?.reason,
      appliedAt: report?.appliedAt,
    };
  });
}
