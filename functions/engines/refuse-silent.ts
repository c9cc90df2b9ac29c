import type { StoreTopology } from '../domain/topology.ts';
import type { LossRefusal } from './engine.ts';

/** A node that was slow once has not gone. */
export const SILENCE_SECONDS = 3;

/** A node that no fault is on answers nobody. */
export function refuseSilent(
  { silentNodes = [] }: Pick<StoreTopology, 'silentNodes'>,
  impacted: readonly string[],
): LossRefusal | undefined {
  const silent = silentNodes.filter((node) => !impacted.includes(node));
  if (silent.length === 0) return undefined;
  const detail = `${silent.join(', ')} does not answer, and no fault is on it`;
  return { detail, numbers: { silentNodes: silent }, forSeconds: SILENCE_SECONDS };
}
