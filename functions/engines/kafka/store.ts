import type { LiveNode } from '../../domain/targets.ts';
import { addressesOfName } from '../../runtime/addresses-of-name.ts';
import type { Store, StoreAccess } from '../engine.ts';
import { kafkaAccess } from './access.ts';
import type { KafkaCluster } from './configuration.ts';
import { type Resolve, readView } from './read-view.ts';
import { mergeTopology } from './topology.ts';
import type { BrokerView } from './views.ts';

/** Every broker is asked for its own view, nobody speaks for another. */
export function kafkaStore(cluster: KafkaCluster, storeAccess: StoreAccess): Store {
  const access = kafkaAccess(cluster, storeAccess);

  async function view(node: LiveNode, resolve: Resolve): Promise<BrokerView> {
    const { addresses, port } = node;
    try {
      return await readView(node, { addresses, port, tls: access.tlsTo(node), sasl: access.sasl }, resolve);
    } catch (error) {
      return { node: node.name, problem: String(error) };
    }
  }
  return {
    async readTopology(nodes) {
      const resolve = onceEach(addressesOfName);
      return mergeTopology(cluster, nodes, await Promise.all(nodes.map((node) => view(node, resolve))));
    },
    /**
     * Kafka brings everything back by itself once its broker runs: replicas catch up, the preferred leader is elected. A
     * broker that ended itself is started on its host, see `startsNext`.
     */
    async repair() {
      return [];
    },
  };
}

/** All brokers announce the same names. */
function onceEach(resolve: Resolve): Resolve {
  const found = new Map<string, ReturnType<Resolve>>();
  return (host) => {
    const known = found.get(host) ?? resolve(host);
    found.set(host, known);
    return known;
  };
}
