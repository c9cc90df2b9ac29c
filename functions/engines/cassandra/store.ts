import type { Clock } from '../../domain/clock.ts';
import type { LiveNode } from '../../domain/targets.ts';
import { systemClock } from '../../runtime/system-clock.ts';
import type { Store, StoreAccess } from '../engine.ts';
import { cassandraAccess } from './access.ts';
import type { CassandraCluster } from './configuration.ts';
import { HeartbeatMemory, STILL_AFTER_MS } from './heartbeats.ts';
import { NodeLinks } from './links.ts';
import { readHeartbeats, readView } from './read-view.ts';
import { mergeTopology } from './topology.ts';
import type { NodeView } from './views.ts';

/** A heartbeat moves each second, so a second look sooner than that says nothing. */
const LOOK_AGAIN_MS = 1000;

/** Every node is asked for its own view, nobody speaks for another. */
export function cassandraStore(
  cluster: CassandraCluster,
  access: StoreAccess,
  { clock = systemClock, links = new NodeLinks(cassandraAccess(cluster, access)) }: Parts = {},
): Store {
  const memory = new HeartbeatMemory();

  async function view(node: LiveNode): Promise<NodeView> {
    try {
      const own = await links.with(node, (ask) => readView(ask, cluster.cassandra));
      memory.note(node.name, own.heartbeats, clock.monotonicMs());
      return { node: node.name, ...own };
    } catch (error) {
      return { node: node.name, problem: textOf(error) };
    }
  }
  async function lookAgain(node: LiveNode, before: NodeView): Promise<NodeView> {
    if ('problem' in before || before.heartbeats.length === 0) return before;
    try {
      const heartbeats = await links.with(node, readHeartbeats);
      memory.note(node.name, heartbeats, clock.monotonicMs());
      return { ...before, heartbeats };
    } catch (error) {
      return { node: node.name, problem: textOf(error) };
    }
  }
  /** Somebody of the ring was seen once only, by someone. */
  const isUnsure = (views: readonly NodeView[]) =>
    views.some(
      (each) =>
        !('problem' in each) &&
        each.heartbeats.length > 0 &&
        each.peers.some(({ hostId }) => memory.movementOf(each.node, hostId, clock.monotonicMs()).state === 'unknown'),
    );

  return {
    async readTopology(nodes) {
      let views = await Promise.all(nodes.map(view));
      // Whoever stands still is known to by then, for it was seen to for so long.
      const untilMs = clock.monotonicMs() + STILL_AFTER_MS;
      while (isUnsure(views) && clock.monotonicMs() < untilMs) {
        await clock.sleep(LOOK_AGAIN_MS);
        views = await Promise.all(nodes.map((node, index) => lookAgain(node, views[index] ?? never(node))));
      }
      return mergeTopology(cluster, nodes, views, memory, clock.monotonicMs());
    },
    /** Hints are handed over by those who keep them once their node is back; a node that went silent is started on its host. */
    async repair() {
      return [];
    },
  };
}

/** What a test takes the place of. */
interface Parts {
  clock?: Clock;
  links?: Pick<NodeLinks, 'with'>;
}

function never({ name }: LiveNode): NodeView {
  return { node: name, problem: 'was not asked' };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
