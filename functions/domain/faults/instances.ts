import type { ResolvedFault } from '../targets.ts';
import { nodeNames } from './fields.ts';
import { type FisAction, MAX_RESOURCES_PER_TARGET } from './kind.ts';

export const fisNodeNames = {
  ...nodeNames,
  words: `${nodeNames.words}; FIS takes at most ${MAX_RESOURCES_PER_TARGET} instances, volumes or subnets for one fault`,
};

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
