import type { TargetNode } from '../targets.ts';
import { availabilityZone, disjoint, NODE_LIST, nodeNames, rule } from './fields.ts';
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

export function addressesOf(nodes: readonly TargetNode[]): string {
  return nodes.flatMap(({ addresses }) => addresses).join(',');
}

export function namesOf(nodes: readonly TargetNode[]): string {
  return nodes.map(({ name }) => name).join(', ');
}
