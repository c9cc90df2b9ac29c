import type { CommandResult, HostCommands } from '../aws/host-commands.ts';
import type { Clock } from '../domain/clock.ts';
import { scriptName } from '../domain/faults/catalogue.ts';
import type { ServiceFault } from '../domain/fis-fault.ts';
import type { ServiceFaults } from '../domain/fis-faults.ts';
import { grantFor } from '../domain/grant.ts';
import { cut, MAX_LINE_CHARACTERS } from '../domain/limits.ts';
import type { LeaseStore } from '../tables/leases.ts';
import type { NodeCommand } from './node-command.ts';

/** The host program answers within 15 s of its start; the rest is delivery. */
const COMMAND_DEADLINE_MS = 40_000;
/** The heartbeat alarm turns OK within 30 s, an experiment runs within 60 s; the rest is calls. */
const SERVICE_DEADLINE_MS = 100_000;

/** What is sent for the faults of one turn. */
export interface TurnPlan {
  commands: NodeCommand[];
  services: ServiceFault[];
}

/** How the faults of a turn were answered. */
export interface Sent {
  /** In the order of the commands. */
  results: CommandResult[];
  starts: ServiceStart[];
}

type ServiceStart = { faultId: string; fisExperimentId: string } | { faultId: string; problem: string };

export interface SendDependencies {
  leases: Pick<LeaseStore, 'grant'>;
  hosts: HostCommands;
  services: Pick<ServiceFaults, 'inject'>;
  clock: Clock;
  documentPrefix: string;
}

/**
 * Grants the hosts their commands, then sends everything at once and waits for every answer. What the service is to do
 * stands in a turn before: see inject-fault-turns.ts.
 *
 * @param endsAt common end of the faults, ISO 8601; undefined for the first ones. An answer is not waited for beyond
 *   it: that would keep the rollback of the earlier faults waiting.
 * @throws WorkflowError LeaseReleased, before anything is sent. What hosts and service answer is no error.
 */
export async function sendTurn(
  experimentId: string,
  { commands, services }: TurnPlan,
  endsAt: string | undefined,
  dependencies: SendDependencies,
): Promise<Sent> {
  const { leases, hosts, clock, documentPrefix } = dependencies;
  const grants = commands.map(({ instanceId, parameters }) => grantFor(instanceId, parameters));
  // A set cannot be empty. A service has no use for a grant: it reads the lease itself.
  if (grants.length > 0) await leases.grant(experimentId, grants);
  const leftMs = endsAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(endsAt) - clock.nowEpochMs();
  const commandMs = Math.min(COMMAND_DEADLINE_MS, leftMs);
  const [results, starts] = await Promise.all([
    Promise.all(
      commands.map(({ kind, instanceId, parameters }) =>
        hosts.run({ document: `${documentPrefix}${scriptName(kind)}`, instanceId, parameters }, commandMs),
      ),
    ),
    Promise.all(
      services.map((service) => start(experimentId, service, Math.min(SERVICE_DEADLINE_MS, leftMs), dependencies)),
    ),
  ]);
  return { results, starts };
}

/** Never rejects: what the hosts answer meanwhile must still be seen. */
async function start(
  experimentId: string,
  service: ServiceFault,
  timeoutMs: number,
  { services, clock }: SendDependencies,
): Promise<ServiceStart> {
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

/** Why the turn is not known to be applied, one line each; empty: every host and the service confirmed it. */
export function failuresOf({ commands }: TurnPlan, { results, starts }: Sent): string[] {
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

/** For the audit log: what every node and the service said, if they were asked. */
export function answersOf({ commands, services }: TurnPlan, sent: Sent | undefined) {
  return {
    nodes: commands.map(({ node, instanceId, faultId }, index) => {
      const { status, report } = sent?.results[index] ?? { status: 'NOT_SENT' };
      const { state, reason, appliedAt, bootId } = report ?? {};
      return {
        node,
        instanceId,
        faultId,
        status,
        state,
        reason: reason && cut(reason, MAX_LINE_CHARACTERS),
        appliedAt,
        bootId,
      };
    }),
    services: services.map(
      ({ faultId }) => sent?.starts.find((answer) => answer.faultId === faultId) ?? { faultId, problem: 'not started' },
    ),
  };
}
