import type { TargetNode } from '../../domain/targets.ts';

/** Gossip reaches everybody within a second or two: a node whose heartbeat stands still for longer is silent. */
const LIVE_WITHIN_MS = 4000;
/** An observer that was not heard for so long says nothing. */
const HEARD_WITHIN_MS = 2500;

interface Heartbeat {
  generation: number;
  heartbeat: number;
  /** When it was heard to have moved; absent: it was heard once. */
  movedAtMs?: number;
}

/** Of `system_views.gossip_info`. */
export interface GossipRow {
  address: string;
  datacenter: string;
  /** It has its place in the ring. */
  isNormal: boolean;
  generation: number;
  heartbeat: number;
}

/** What one node says: of the others' heartbeats, and for whom it keeps writes that they have not had. */
export interface Gossip {
  heartbeats: readonly GossipRow[];
  hintsFor: readonly string[];
}

interface Observer {
  heardAtMs: number;
  heartbeats: Map<string, Heartbeat>;
  hintsFor: Set<string>;
}

/** Which nodes live, by what the others hear of them. A node that has stopped still says NORMAL; its heartbeat does not move. */
export class GossipWatch {
  readonly #members: readonly Pick<TargetNode, 'name' | 'addresses'>[];
  readonly #datacenter: string;
  /** Not members, by their addresses: those that had their place at the first look, and those that have joined the datacenter since. */
  readonly #others = new Set<string>();
  readonly #joined = new Set<string>();
  readonly #observers = new Map<string, Observer>();
  /** By observer: whom its own failure detector has given up. */
  readonly #down = new Map<string, Set<string>>();
  #sinceMs: number | undefined;
  /** How often a node was given up by the first one who did. */
  convictions = 0;

  constructor(members: readonly Pick<TargetNode, 'name' | 'addresses'>[], datacenter: string) {
    this.#members = members;
    this.#datacenter = datacenter;
  }

  heard(observer: string, { heartbeats, hintsFor }: Gossip, atMs: number): void {
    const isFirst = this.#sinceMs === undefined;
    this.#sinceMs ??= atMs;
    const known = this.#observers.get(observer)?.heartbeats ?? new Map<string, Heartbeat>();
    for (const { address, datacenter, isNormal, generation, heartbeat } of heartbeats) {
      const isMember = this.#nodeAt(address) !== undefined;
      if (!isMember && isNormal && isFirst) this.#others.add(address);
      if (!isMember && isNormal && datacenter === this.#datacenter && !this.#others.has(address))
        this.#joined.add(address);
      const node = this.#nodeAt(address) ?? (this.#joined.has(address) ? address : undefined);
      if (node === undefined) continue;
      const before = known.get(node);
      const hasMoved = before !== undefined && (generation !== before.generation || heartbeat !== before.heartbeat);
      if (!before || hasMoved) known.set(node, { generation, heartbeat, ...(hasMoved ? { movedAtMs: atMs } : {}) });
    }
    const owed = hintsFor.flatMap((address) => this.#nodeAt(address) ?? []);
    this.#observers.set(observer, { heardAtMs: atMs, heartbeats: known, hintsFor: new Set(owed) });
  }

  /** @returns the node's name when nobody else has given it up; undefined of who is no member, and of an observer itself */
  convicted(observer: string, address: string): string | undefined {
    const node = this.#nodeAt(address);
    if (node === undefined || node === observer) return undefined;
    const isNews = ![...this.#down.values()].some((given) => given.has(node));
    this.#down.set(observer, (this.#down.get(observer) ?? new Set()).add(node));
    if (!isNews) return undefined;
    this.convictions += 1;
    return node;
  }

  absolved(observer: string, address: string): void {
    const node = this.#nodeAt(address);
    if (node !== undefined) this.#down.get(observer)?.delete(node);
  }

  /** Nodes whose heartbeat moves, as another one sees it. Undefined when nobody can tell, or cannot yet. */
  liveMembers(nowMs: number): number | undefined {
    const heard = this.#fresh(nowMs);
    if (heard.length === 0) return undefined;
    const isLive = (name: string) =>
      heard.some(([observer, { heartbeats }]) => {
        const movedAtMs = heartbeats.get(name)?.movedAtMs ?? Number.NEGATIVE_INFINITY;
        return observer !== name && nowMs - movedAtMs < LIVE_WITHIN_MS;
      });
    const live = [...this.#members.map(({ name }) => name), ...this.#joined].filter(isLive).length;
    const isEarly = nowMs - (this.#sinceMs ?? nowMs) < LIVE_WITHIN_MS;
    return live < this.#members.length && isEarly ? undefined : live;
  }

  /** Members for which another one keeps writes. */
  owedMembers(nowMs: number): number | undefined {
    const heard = this.#fresh(nowMs);
    if (heard.length === 0) return undefined;
    return new Set(heard.flatMap(([, { hintsFor }]) => [...hintsFor])).size;
  }

  #fresh(nowMs: number): [string, Observer][] {
    return [...this.#observers].filter(([, { heardAtMs }]) => nowMs - heardAtMs < HEARD_WITHIN_MS);
  }

  /** @param address with or without a port */
  #nodeAt(address: string): string | undefined {
    const bare = address.replace(/^\/?\[?(.*?)\]?(?::\d+)?$/, '$1');
    return this.#members.find(({ addresses }) => addresses.includes(address) || addresses.includes(bare))?.name;
  }
}
