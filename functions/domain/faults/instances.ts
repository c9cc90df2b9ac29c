import * as z from 'zod';
import type { ResolvedFault } from '../targets.ts';
import { NODE_LIST, nodeNames } from './fields.ts';
import { type FisAction, MAX_RESOURCES_PER_TARGET } from './kind.ts';

/** Parameters of the kinds that need nothing but their nodes. */
export const nodesOnly = z.strictObject({ targetNodes: nodeNames });
export const FIS_NODE_LIST = `${NODE_LIST}; FIS takes at most ${MAX_RESOURCES_PER_TARGET} instances, volumes or subnets for one fault`;
export const NODES_ONLY_ALLOWED = { targetNodes: FIS_NODE_LIST };

export function instancesOf({ impacted }: ResolvedFault): FisAction['target'] {
  return {
    name: 'Instances',
    resourceType: 'aws:ec2:instance',
    resources: [...new Set(impacted.map(({ instanceId }) => instanceId))].map((id) => ({ kind: 'instance', id })),
  };
}

/** FIS counts some durations in whole minutes, one at least: the bound without our help is rounded up, never down. */
export function wholeMinutes(seconds: number): { text: string; seconds: number } {
  const minutes = Math.max(1, Math.ceil(seconds / 60));
  return { text: `PT${minutes}M`, seconds: minutes * 60 };
}

export function wholeSeconds(seconds: number): string {
  return `PT${Math.max(1, Math.floor(seconds))}S`;
}
