import type { PeerNode } from '../targets.ts';
import type { ContextParameter } from './define-kind.ts';
import { availabilityZone, byDefault, nodeNames, optional, percent } from './fields.ts';
import type { PeerSelection } from './kind.ts';
import { anchored, PATTERN } from './patterns.ts';
import { rule } from './rules.ts';

/** Fields of the kinds that work on the traffic to some peers: all other nodes, the named ones, or those of a zone. */
export const peerFields = {
  targetNodes: nodeNames,
  toNodes: optional(nodeNames, 'see toAvailabilityZone'),
  toAvailabilityZone: optional(availabilityZone, 'toNodes, or all other nodes'),
};
export const PEER_RULES = [
  rule('notBoth', 'toAvailabilityZone', 'toNodes'),
  rule('disjoint', 'toNodes', 'targetNodes'),
] as const;

export const CORRELATION = byDefault(0, percent('how much one packet is like the one before', { min: 0 }));

export const PEER_ADDRESSES: ContextParameter = {
  description: 'IP addresses, v4 and v6, with commas between them: every one of every peer, never a network.',
  pattern: anchored(PATTERN.addresses),
  value: ({ peers }) => peers.flatMap(({ addresses }) => addresses).join(','),
};

const MAX_NAMES = 10;

interface PeerParameters {
  toNodes?: string[] | undefined;
  toAvailabilityZone?: string | undefined;
}

export function selectPeers({ toNodes, toAvailabilityZone }: PeerParameters): PeerSelection {
  if (toNodes) return { by: 'names', nodes: toNodes };
  return toAvailabilityZone ? { by: 'availabilityZone', availabilityZone: toAvailabilityZone } : { by: 'all' };
}

/** For a sentence that goes with every command: of many nodes only the first ones, their addresses stand beside it. */
export function namesOf(nodes: readonly PeerNode[]): string {
  const names = nodes.slice(0, MAX_NAMES).map(({ name }) => name);
  const more = nodes.length - names.length;
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
