import type { CommandResult, HostCommands } from '../aws/host-commands.ts';
import type { Clock } from '../domain/clock.ts';
import { scriptName } from '../domain/faults/catalogue.ts';
import type { FisFault, FisFaults } from '../domain/fis-fault.ts';
import { grantFor } from '../domain/grant.ts';
import { remarksOf } from '../domain/host-report.ts';
import {
  bytesOf,
  cut,
  firstLines,
  MAX_ENTRY_BYTES,
  MAX_LINE_CHARACTERS,
  MAX_WORD_CHARACTERS,
} from '../domain/limits.ts';
import { FIS_INJECT_DEADLINE_MS, HOST_INJECT_DEADLINE_MS } from '../domain/timing.ts';
import type { BatchAnswers, BatchPlan, FisAnswer, NodeAnswer, NodeCommand } from '../domain/workflow.ts';
import type { Leases } from '../tables/leases.ts';

/** How the faults of a batch were answered. */
export interface Sent {
  /** In the order of the commands. */
  results: CommandResult[];
  starts: FisAnswer[];
}

export interface DispatchDependencies {
  leases: Pick<Leases, 'grant'>;
  hosts: HostCommands;
  services: Pick<FisFaults, 'inject'>;
  clock: Clock;
  documentPrefix: string;
}

/**
 * Grants the hosts their commands, then sends everything at once and waits for every answer. What FIS is to do
 * stands in a batch before: see batches.ts.
 *
 * @param endsAt common end of the faults, ISO 8601; undefined for the first ones. An answer is not waited for beyond
 *   it: that would keep the rollback of the earlier faults waiting.
 * @throws WorkflowError LeaseReleased, before anything is sent. What hosts and service answer is no error.
 */
export async function dispatch(
  experimentId: string,
  { commands, services }: BatchPlan,
  endsAt: string | undefined,
  dependencies: DispatchDependencies,
): Promise<Sent> {
  const { leases, hosts, clock, documentPrefix } = dependencies;
  const grants = commands.map(({ instanceId, parameters }) => grantFor(instanceId, parameters));
  // A set cannot be empty. A service has no use for a grant: it reads the lease itself.
  if (grants.length > 0) await leases.grant(experimentId, grants);
  const leftMs = endsAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(endsAt) - clock.nowEpochMs();
  const commandMs = Math.min(HOST_INJECT_DEADLINE_MS, leftMs);
  const [results, starts] = await Promise.all([
    Promise.all(
      commands.map(({ kind, instanceId, parameters }) =>
        hosts.run({ document: `${documentPrefix}${scriptName(kind)}`, instanceId, parameters }, commandMs),
      ),
    ),
    Promise.all(
      services.map((service) => start(experimentId, service, Math.min(FIS_INJECT_DEADLINE_MS, leftMs), dependencies)),
    ),
  ]);
  return { results, starts };
}

/** Never rejects: what the hosts answer meanwhile must still be seen. */
async function start(
  experimentId: string,
  service: FisFault,
  timeoutMs: number,
  { services, clock }: DispatchDependencies,
): Promise<FisAnswer> {
  const { faultId } = service;
  const answered = new AbortController();
  const injected = services.inject(experimentId, service).then(
    ({ fisExperimentId }) => ({ faultId, fisExperimentId }),
    (error: unknown) => ({ faultId, problem: error instanceof Error ? error.message : String(error) }),
  );
  const late = clock.sleep(timeoutMs, answered.signal).then(
    () => ({ faultId, problem: `not confirmed within ${timeoutMs} ms` }),
    () => ({ faultId, problem: 'not waited for' }),
  );
  const first = await Promise.race([injected, late]);
  answered.abort();
  return first;
}

/** Why the batch is not known to be applied, one line each; empty: every host and the service confirmed it. */
export function failuresOf({ commands }: BatchPlan, { results, starts }: Sent): string[] {
  return [
    ...commands.flatMap((command, index) => hostFailure(command, results[index])),
    ...starts.flatMap((answer) => ('problem' in answer ? [`${answer.faultId}: ${answer.problem}`] : [])),
  ];
}

/** Only a report of this fault that says APPLIED counts, whatever SSM thinks of the command. */
function hostFailure({ node, faultId }: NodeCommand, result: CommandResult | undefined): string[] {
  const report = result?.report;
  if (result?.status === 'Success' && report?.state === 'APPLIED' && report.faultId === faultId) return [];
  const said = report ? `${report.state}${report.reason ? `, ${report.reason}` : ''}` : 'no report';
  return [`${node}: ${said} (SSM: ${result?.status ?? 'not asked'}${result?.detail ? `, ${result.detail}` : ''})`];
}

/**
 * For the audit log: what every node and FIS said, if they were asked. Where very many nodes said very much, their
 * notes and the end of their reasons are left out.
 */
export function answersOf(plan: BatchPlan, sent: Sent | undefined): BatchAnswers {
  const answers = allAnswers(plan, sent);
  return bytesOf(answers) <= MAX_ENTRY_BYTES ? answers : { ...answers, nodes: answers.nodes.map(shortened) };
}

function shortened({ reason, notes, ...answer }: NodeAnswer): NodeAnswer {
  return {
    ...answer,
    ...(reason === undefined ? {} : { reason: cut(reason, MAX_WORD_CHARACTERS) }),
    ...(notes ? { notes: firstLines(notes, 0, 0) } : {}),
  };
}

function allAnswers({ commands, services }: BatchPlan, sent: Sent | undefined): BatchAnswers {
  return {
    nodes: commands.map(({ node, instanceId, faultId }, index) => {
      const { status, report } = sent?.results[index] ?? { status: 'NOT_SENT' };
      return {
        ...{ node, instanceId, faultId, status },
        ...(report ? { state: report.state } : {}),
        ...(report?.reason ? { reason: cut(report.reason, MAX_LINE_CHARACTERS) } : {}),
        ...(report?.appliedAt ? { appliedAt: report.appliedAt } : {}),
        ...(report?.bootId ? { bootId: report.bootId } : {}),
        ...remarksOf(report),
      };
    }),
    services: services.map(
      ({ faultId }) => sent?.starts.find((answer) => answer.faultId === faultId) ?? { faultId, problem: 'not started' },
    ),
  };
}
