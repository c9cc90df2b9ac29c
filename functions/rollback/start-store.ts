import type { HostCommands } from '../aws/host-commands.ts';
import { START_STORE_DEADLINE_MS } from '../domain/timing.ts';
import type { RolledBackNode, StartResult } from './verify-recovery.ts';

/**
 * Asks the host of a fault that is over to start its store again. The host does so only if the store is down, or runs since before
 * the fault and serves nobody, and no fault lives there, so it may be asked twice. A host that does not answer is a problem, and keeps nobody waiting.
 * @param dependencies.document full name of the roll-back document
 */
export async function startStore(
  experimentId: string,
  { node, instanceId, faultId }: RolledBackNode,
  { hosts, document }: { hosts: HostCommands; document: string },
): Promise<StartResult> {
  const parameters = { experimentId, faultId, verb: 'start' };
  const { status, report, detail } = await hosts.run({ document, instanceId, parameters }, START_STORE_DEADLINE_MS);
  const isOwn = status === 'Success' && report?.faultId === faultId;
  if (isOwn && report.started === true) return { repair: `${node}: store started, it had ended or shut itself` };
  if (isOwn && report.started === false) return {};
  return { problem: `${node}: its store could not be started: ${report?.reason ?? detail ?? status}` };
}
