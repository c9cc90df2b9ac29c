import type { PeerNode } from '../targets.ts';
import { availabilityZone, disjoint, NODE_LIST, nodeNames, PATTERN, rule } from './fields.ts';
import type { PeerSelection } from './kind.ts';

/** Fields of the kinds that work on the traffic to some peers: all other nodes, the named ones, or those of a zone. */
export const peerFields = {
  targetNodes: nodeNames,
  toNodes: nodeNames.optional(),
  toAvailabilityZone: availabilityZone.optional(),
};

export const PEERS_ALLOWED = {
  targetNodes: NODE_LIST,
  toNodes: `${NODE_LIST}, none of them in targetNodes, without toAvailabilityZone; left out: see toAvailabilityZone`,
  toAvailabilityZone: 'the name of an availability zone, as in eu-west-1a; with neither: all other nodes',
};

/** Own parameters of their documents that the kinds on the traffic to peers have in common. */
export const PEERS_DOCUMENT = {
  peerAddresses: {
    description: 'Every address of every peer, v4 and v6; never a network.',
    pattern: `^${PATTERN.addresses}$`,
  },
};
export const CORRELATION_DOCUMENT = {
  correlationPct: {
    description: 'How much one packet is like the one before, 0 to 100.',
    pattern: `^${PATTERN.percentOrZero}$`,
  },
};

const MAX_NAMES = 10;

interface PeerParameters {
  toNodes?: string[] | undefined;
  toAvailabilityZone?: string | undefined;
}

/** Both are asked, so that one answer names every mistake. */
export const NOT_BOTH_PEERS = rule(
  'toAvailabilityZone',
  'stands beside toNodes',
  () => false,
  (value) => value.toNodes !== undefined && value.toAvailabilityZone !== undefined,
);
export const OTHER_PEERS = disjoint('toNodes', 'targetNodes');

export function selectPeers({ toNodes, toAvailabilityZone }: PeerParameters): PeerSelection {
  if (toNodes) return { by: 'names', nodes: toNodes };
  return toAvailabilityZone ? { by: 'availabilityZone', availabilityZone: toAvailabilityZone } : { by: 'all' };
}

export function addressesOf(nodes: readonly PeerNode[]): string {
  return nodes.flatMap(({ addresses }) => addresses).join(',');
}

/** For a sentence that goes with every command: of many nodes only the first ones, their addresses stand beside it. */
export function namesOf(nodes: readonly PeerNode[]): string {
  const names = nodes.slice(0, MAX_NAMES).map(({ name }) => name);
  const more = nodes.length - names.length;
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
