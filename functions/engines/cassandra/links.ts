import type { LiveNode } from '../../domain/targets.ts';
import type { CassandraAccess } from './access.ts';
import { type Ask, isRefusal, type OpenNode, openNode } from './connection.ts';

/** After the last look: longer than from one look of a guard to the next. */
const IDLE_MS = 10_000;

/**
 * Clients of single nodes, kept from look to look: each costs its node a login. One that failed is given up, so that the
 * next look begins anew. What nobody uses is closed.
 */
export class NodeLinks {
  readonly #access: CassandraAccess;
  readonly #open: typeof openNode;
  readonly #links = new Map<string, Promise<OpenNode>>();
  #idle: NodeJS.Timeout | undefined;

  constructor(access: CassandraAccess, open: typeof openNode = openNode) {
    this.#access = access;
    this.#open = open;
  }

  /** @throws Error when the node does not answer in time, in words where a person can do something about it */
  async with<T>(node: LiveNode, question: (ask: Ask) => Promise<T>): Promise<T> {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.close(), IDLE_MS).unref();
    const key = JSON.stringify([node.name, node.addresses, node.port]);
    const link = this.#links.get(key) ?? this.#begin(node);
    this.#links.set(key, link);
    try {
      return await question((await link).ask);
    } catch (error) {
      if (!isRefusal(error) && this.#links.get(key) === link) {
        this.#links.delete(key);
        void link.then(({ close }) => close()).catch(() => {});
      }
      throw error;
    }
  }

  close(): void {
    clearTimeout(this.#idle);
    for (const link of this.#links.values()) void link.then(({ close }) => close()).catch(() => {});
    this.#links.clear();
  }

  async #begin(node: LiveNode): Promise<OpenNode> {
    const { addresses, port } = node;
    return this.#open({ addresses, port, tls: this.#access.tlsTo(node), login: this.#access.login });
  }
}
