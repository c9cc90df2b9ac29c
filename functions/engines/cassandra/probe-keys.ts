import type { TargetNode } from '../../domain/targets.ts';
import type { CqlClient } from './probe-clients.ts';

/** Of a ring with thousands of ranges one in so many keys is on a given node, unless the node has none at all. */
const MAX_TRIES = 10_000;

/**
 * Keys that live on the impacted nodes: by the ring as the nodes tell it, each is made longer until one of them has a copy. The
 * nodes take turns.
 */
export class KeysOnNodes {
  readonly #client: Pick<CqlClient, 'getReplicas'>;
  readonly #keyspace: string;
  readonly #nodes: readonly TargetNode[];
  readonly #known = new Map<string, string>();

  constructor(client: Pick<CqlClient, 'getReplicas'>, keyspace: string, nodes: readonly TargetNode[]) {
    this.#client = client;
    this.#keyspace = keyspace;
    this.#nodes = nodes;
  }

  /** The key as the store has it. Where no such key is found, the key as it is: then nothing proves that it is on the node. */
  of(key: string): string {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const node = this.#nodes[this.#known.size % Math.max(1, this.#nodes.length)];
    const found = node && this.#onNode(key, node);
    this.#known.set(key, found ?? key);
    return found ?? key;
  }

  /** Names of the impacted nodes that have a copy of it. */
  ownersOf(key: string): string[] {
    const stored = this.of(key);
    return this.#nodes.filter((node) => this.#isOn(stored, node)).map(({ name }) => name);
  }

  #onNode(key: string, node: TargetNode): string | undefined {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const longer = tries === 0 ? key : `${key}#${tries}`;
      if (this.#isOn(longer, node)) return longer;
    }
    return undefined;
  }

  #isOn(stored: string, { addresses }: TargetNode): boolean {
    const hosts = this.#client.getReplicas(this.#keyspace, Buffer.from(stored)) ?? [];
    return hosts.some(({ address }) => addresses.some((own) => address.replace(/:\d+$/, '') === own));
  }
}
