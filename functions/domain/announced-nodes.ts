import type { AuditEntry } from './audit-entry.ts';
import type { ResolvedTargets } from './targets.ts';

/** A node on whose host a fault may be, whether it was confirmed or not. */
export interface AnnouncedNode {
  node: string;
  instanceId: string;
  faultId: string;
}

/**
 * Every node that an INJECTING entry announced, confirmed or not; none when nothing was announced. Where something was,
 * the resolved targets are added: reverting too much is harmless.
 */
export function announcedNodes(entries: readonly AuditEntry[], targets?: ResolvedTargets): AnnouncedNode[] {
  if (entries.every(({ type }) => type !== 'INJECTING')) return [];
  const named = plansIn(entries)
    .flatMap(({ commands }) => commands)
    .map(({ node, instanceId, faultId }) => ({ node, instanceId, faultId }));
  return unique([...named, ...resolvedNodes(targets)]);
}

/** What was announced, batch by batch. */
export function plansIn(entries: readonly AuditEntry[]) {
  return entries.flatMap((entry) => (entry.type === 'INJECTING' ? [entry.details] : []));
}

export function resolvedNodes(targets: ResolvedTargets | undefined): AnnouncedNode[] {
  return unique(
    (targets?.faults ?? []).flatMap(({ faultId, impacted }) =>
      impacted.map(({ name, instanceId }) => ({ node: name, instanceId, faultId })),
    ),
  );
}

function unique(nodes: AnnouncedNode[]): AnnouncedNode[] {
  return [...new Map(nodes.map((node) => [`${node.faultId} ${node.instanceId}`, node])).values()];
}
