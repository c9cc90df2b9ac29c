import type { ReplicaSet } from '../domain/topology.ts';
import type { Engine, LossRefusal } from './engine.ts';
import { refuseSilent } from './refuse-silent.ts';

/** What an engine calls what it keeps copies of. */
export interface ReplicaWords {
  noneKnown: string;
  /** @param moved names of the sets whose data are being moved, one at least */
  beingMoved(moved: readonly string[]): LossRefusal;
  /** @param short sets that keep too few, one at least @param kept of the first one @param verb as in `would keep` */
  tooFew(short: readonly [ReplicaSet, ...ReplicaSet[]], kept: number, verb: string): LossRefusal;
}

/** Of stores that keep each part of their data on several nodes, and serve it as long as enough of them live. */
export function replicaRules(
  words: ReplicaWords,
): Required<Pick<Engine, 'refuseLoss' | 'refuseDuring' | 'startsNext'>> {
  function tooFewRemain(
    sets: readonly ReplicaSet[],
    without: readonly string[],
    verb: string,
  ): LossRefusal | undefined {
    const remaining = ({ inSync }: ReplicaSet) => inSync.filter((node) => !without.includes(node)).length;
    const [first, ...others] = sets.filter((set) => remaining(set) < Math.max(set.minInSync, 1));
    return first && words.tooFew([first, ...others], remaining(first), verb);
  }

  return {
    /** Without the lost nodes every set that has a copy there keeps as many as it needs, one at least. */
    refuseLoss({ replicaSets = [] }, lost) {
      if (replicaSets.length === 0) return { detail: words.noneKnown, numbers: {} };
      const concerned = replicaSets.filter(({ members }) => members.some((node) => lost.includes(node)));
      return tooFewRemain(concerned, lost, 'would keep');
    },
    /**
     * While the fault lives the impacted nodes may stand still. Nobody else may: every other node answers, no data are moved,
     * because that takes the bandwidth of those who serve, and what is left is enough everywhere.
     */
    refuseDuring({ replicaSets = [], silentNodes = [] }, impacted) {
      const silence = refuseSilent({ silentNodes }, impacted);
      if (silence) return silence;
      const moved = replicaSets.filter(({ isReassigned }) => isReassigned).map(({ name }) => name);
      if (moved.length > 0) return words.beingMoved(moved);
      return tooFewRemain(replicaSets, impacted, 'has, beside the impacted nodes,');
    },
    /** A node that ended itself is brought back while every other is well, and after those before it hold their data again. */
    startsNext({ replicaSets = [], silentNodes = [] }, impacted) {
      const stopped = silentNodes.filter((node) => impacted.includes(node));
      if (replicaSets.length === 0 || stopped.length < silentNodes.length) return undefined;
      const othersAreWell = replicaSets.every(({ members, inSync }) =>
        members.every((node) => inSync.includes(node) || stopped.includes(node)),
      );
      return othersAreWell ? stopped[0] : undefined;
    },
  };
}
