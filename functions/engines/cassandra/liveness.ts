import type { HeartbeatMemory, Movement } from './heartbeats.ts';
import type { Members } from './members.ts';
import type { NodeAnswer } from './views.ts';

/** Who is alive, by what others see. */
export interface Liveness {
  /** Whether another node sees its heartbeat move. */
  isSeen(hostId: string): boolean;
  problems: string[];
}

const NORMAL = 'NORMAL';
/** These have left the ring, and are remembered for a while. */
const GONE = /^(LEFT|removed|REMOVED_TOKEN|hibernate)/;

/**
 * From the views of all nodes that answer, each of all others. Healthy is a node that every other one sees move: at least
 * two where there are as many.
 */
export function livenessOf(
  answers: readonly NodeAnswer[],
  members: Members,
  memory: Pick<HeartbeatMemory, 'movementOf'>,
  nowMs: number,
): Liveness {
  const views = members.ring.map(({ hostId }) => {
    // Who tells of nobody is a problem of its own.
    const others = answers.filter(({ self, heartbeats }) => self.hostId !== hostId && heartbeats.length > 0);
    const seenBy = others.map((viewer) => ({
      viewer: viewer.node,
      movement: memory.movementOf(viewer.node, hostId, nowMs),
      status: viewer.heartbeats.find((each) => each.hostId === hostId)?.status,
    }));
    return { hostId, seenBy };
  });
  const moving = new Set(
    views.flatMap(({ hostId, seenBy }) => (seenBy.some(({ movement }) => movement.state === 'moving') ? [hostId] : [])),
  );
  return {
    isSeen: (hostId) => moving.has(hostId),
    problems: views.flatMap(({ hostId, seenBy }) => {
      const name = members.nameOf(hostId);
      const still = seenBy.filter(({ movement }) => movement.state !== 'moving');
      const statuses = Map.groupBy(
        seenBy.filter(({ status = NORMAL }) => status !== NORMAL && !GONE.test(status)),
        ({ status = '' }) => status,
      );
      return [
        ...(still.length === 0
          ? []
          : [`${name} ${stillText(still.map(({ movement }) => movement))}, as ${viewersOf(still)} sees it`]),
        ...(seenBy.length === 0 ? [`nobody else says how ${name} is`] : []),
        ...[...statuses].map(([status, by]) => `${name} is ${status}, as ${viewersOf(by)} sees it`),
      ];
    }),
  };
}

function stillText(movements: readonly Movement[]): string {
  const longest = Math.max(...movements.map((each) => (each.state === 'still' ? each.forMs : 0)));
  return longest === 0 ? 'has not been seen to move' : `has stood still for ${(longest / 1000).toFixed(1)} s`;
}

function viewersOf(seen: readonly { viewer: string }[]): string {
  return seen.map(({ viewer }) => viewer).join(', ');
}
