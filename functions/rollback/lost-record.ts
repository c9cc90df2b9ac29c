import { type AuditEntry, isEntryOf } from '../domain/audit-entry.ts';
import { hostKindOf } from '../domain/faults/catalogue.ts';
import type { HostReport } from '../domain/host-report.ts';

type OnNode = { faultId: string; instanceId: string };

/** In which boot of which host a fault was confirmed that nothing but its record tells of; undefined: in an unknown one. */
export type UnmarkedBoots = ReadonlyMap<string, string | undefined>;

/** Of every INJECTED and INJECTION_FAILED entry: what a host has called APPLIED was there, whatever came of the batch. */
export function unmarkedBoots(entries: readonly AuditEntry[]): UnmarkedBoots {
  const commands = entries.flatMap((entry) => (entry.type === 'INJECTING' ? entry.details.commands : []));
  const unmarked = new Set(commands.filter(({ kind }) => hostKindOf(kind).unmarked).map(({ faultId }) => faultId));
  const answers = entries.flatMap((entry) =>
    isEntryOf(entry, 'INJECTED', 'INJECTION_FAILED') ? entry.details.nodes : [],
  );
  const confirmed = answers.filter(({ faultId, state }) => unmarked.has(faultId) && state === 'APPLIED');
  return new Map(confirmed.map((node) => [keyOf(node), node.bootId]));
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
