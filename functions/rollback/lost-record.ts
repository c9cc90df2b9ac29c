import type { AuditEntry } from '../domain/audit-entry.ts';
import { type FaultKind, hostKindOf, isHostFaultKind } from '../domain/faults/catalogue.ts';
import type { HostReport } from '../domain/host-report.ts';

type OnNode = { faultId: string; instanceId: string };
type Confirmed = OnNode & { state?: string; bootId?: string | null };

/** In which boot of which host a fault was confirmed that nothing but its record tells of; undefined: in an unknown one. */
export type UnmarkedBoots = ReadonlyMap<string, string | undefined>;

/** Of every INJECTED and INJECTION_FAILED entry: what a host has called APPLIED was there, whatever came of the turn. */
export function unmarkedBoots(entries: readonly AuditEntry[]): UnmarkedBoots {
  const commands = entries.flatMap(({ type, details }) =>
    type === 'INJECTING' ? ((details.commands as { faultId: string; kind: FaultKind }[] | undefined) ?? []) : [],
  );
  const unmarked = new Set(
    commands.filter(({ kind }) => isHostFaultKind(kind) && hostKindOf(kind).unmarked).map(({ faultId }) => faultId),
  );
  const answered = entries.flatMap(({ type, details }) =>
    type === 'INJECTED' || type === 'INJECTION_FAILED' ? ((details.nodes as Confirmed[] | undefined) ?? []) : [],
  );
  const confirmed = answered.filter(({ faultId, state }) => unmarked.has(faultId) && state === 'APPLIED');
  return new Map(confirmed.map((node) => [keyOf(node), node.bootId ?? undefined]));
}

/**
 * Why NOTHING_TO_REVERT is no proof here, or undefined: the host called the fault APPLIED, is not known to have been
 * restarted since (that alone would have ended it), and has lost its record, so that it cannot know what there is to undo.
 */
export function lostRecord(node: OnNode, report: HostReport, boots: UnmarkedBoots): string | undefined {
  if (report.state !== 'NOTHING_TO_REVERT' || !boots.has(keyOf(node))) return undefined;
  const appliedIn = boots.get(keyOf(node));
  if (appliedIn && report.bootId && report.bootId !== appliedIn) return undefined;
  return 'it had confirmed this fault, is not known to have been restarted since, and has lost its record';
}

const keyOf = ({ faultId, instanceId }: OnNode) => `${faultId} ${instanceId}`;
