import type { LiveNode } from '../../domain/targets.ts';
import type { AnnouncedBroker, BrokerAnswer } from './views.ts';

/** Which broker is which node. */
export interface Brokers {
  /** The node's name; of a broker that is no live node, what it can be found by. */
  nameOf(id: number): string;
  /** Node of a broker, or undefined for one that is no live node. */
  nodeOf(id: number): string | undefined;
  idOf(node: string): number | undefined;
  /** Node → the address that it is announced with, resolved. */
  addresses: Record<string, string>;
  problems: string[];
}

/** Whether it announces itself at the node. */
export function isAt({ addresses, port }: Pick<AnnouncedBroker, 'addresses' | 'port'>, node: LiveNode): boolean {
  return port === node.port && addresses.some((address) => node.addresses.includes(address));
}

/** Everybody tells of everybody, by what each has announced: also of those that are dead. */
export function brokersOf(nodes: readonly LiveNode[], answers: readonly BrokerAnswer[]): Brokers {
  const known = new Map<number, AnnouncedBroker>();
  for (const broker of answers.flatMap((answer) => answer.brokers)) known.set(broker.id, broker);
  const nodesOf = new Map([...known].map(([id, broker]) => [id, nodes.find((node) => isAt(broker, node))] as const));
  const ids = new Map([...nodesOf].flatMap(([id, node]) => (node ? [[node.name, id] as const] : [])));
  const nameOf = (id: number): string => {
    const { host, port } = known.get(id) ?? {};
    return nodesOf.get(id)?.name ?? (host === undefined ? `broker ${id}` : `broker ${id} (${host}:${port})`);
  };
  const isFenced = (id: number) =>
    answers.some(({ brokers }) => brokers.some((broker) => broker.id === id && broker.isFenced));

  const problems: string[] = [];
  for (const [id, node] of nodesOf) {
    if (isFenced(id)) problems.push(`${nameOf(id)} is fenced: the controller does not take it for alive`);
    else if (!node)
      problems.push(`${nameOf(id)} announces an address of no live node of the cluster (advertised.listeners)`);
    if (node && ids.get(node.name) !== id)
      problems.push(
        `${node.name} is what two brokers announce, ${id} and ${ids.get(node.name)} (advertised.listeners)`,
      );
  }
  for (const { name } of answers.length === 0 ? [] : nodes) {
    if (!ids.has(name)) problems.push(`${name} is no broker that any other knows (advertised.listeners, port)`);
  }
  return {
    nameOf,
    nodeOf: (id) => nodesOf.get(id)?.name,
    idOf: (node) => ids.get(node),
    addresses: Object.fromEntries(
      [...nodesOf].flatMap(([id, node]) => {
        const address = known.get(id)?.addresses.find((each) => node?.addresses.includes(each));
        return node && address !== undefined ? [[node.name, address]] : [];
      }),
    ),
    problems,
  };
}
