import type { ClientOptions, types } from 'cassandra-driver';
import type { CqlClient } from '../../../../functions/engines/cassandra/probe-clients.ts';
import type { SimulatedClock } from '../../domain/simulated-clock.ts';

interface Cell {
  value: string | null;
  timestampUs: number;
}
type Row = Record<string, unknown>;

/** Three nodes with one copy of everything in common, and whatever lies they are told to tell. */
export class FakeRing {
  readonly cells = new Map<string, Cell>();
  /** How far the clock of a node is ahead. */
  readonly aheadMs = new Map<string, number>();
  readonly silent = new Set<string>();
  /** Of these, by what they hold: acknowledged and forgotten. */
  forgets: (value: string | null, key: string) => boolean = () => false;
  /** Of a read, what is answered in its place. */
  shows: (key: string, cell: Cell | undefined) => Cell | undefined = (_, cell) => cell;
  /** Addresses that a key is on. */
  owners: (key: string) => string[];
  readonly opened: ClientOptions[] = [];
  readonly requests: { by: string[]; query: string; consistency: types.consistencies | undefined }[] = [];
  hints: string[] = [];
  refuses: string | undefined;
  closed = 0;
  readonly #listeners: { by: string; event: string; listener: (host: { address: string }) => void }[] = [];
  readonly #addresses: readonly string[];
  readonly #clock: SimulatedClock;

  constructor(addresses: readonly string[], clock: SimulatedClock) {
    this.#addresses = addresses;
    this.#clock = clock;
    this.owners = () => [...addresses];
  }

  /** A node pushes to its clients that another one is down, or up. */
  push(by: string, event: 'hostDown' | 'hostUp', address: string): void {
    for (const each of this.#listeners)
      if (each.by === by && each.event === event) each.listener({ address: `${address}:9042` });
  }

  open(options: ClientOptions): CqlClient {
    this.opened.push(options);
    const points = (options.contactPoints ?? []).map((point) => point.replace(/:\d+$/, ''));
    const own = this.#addresses.filter((address) => points.includes(address));
    const at = async (query: string, consistency: types.consistencies | undefined) => {
      const stamp = options.policies?.timestampGeneration?.next({} as never);
      this.requests.push({ by: own, query, consistency });
      await this.#clock.sleep(1);
      const node = own.find((address) => !this.silent.has(address));
      if (node === undefined) throw new Error('no host answers');
      const timestampUs = stamp ?? (this.#clock.nowEpochMs() + (this.aheadMs.get(node) ?? 0)) * 1000;
      return { node, timestampUs: Number(timestampUs) };
    };
    const answer = (rows: Row[]) => ({ rows }) as unknown as types.ResultSet;
    const apply = (query: string, params: readonly unknown[], timestampUs: number) => {
      const key = String(params[0]);
      const value = query.startsWith('DELETE') ? null : String(params[1]);
      const before = this.cells.get(key);
      if (!this.forgets(value, key) && (!before || timestampUs >= before.timestampUs))
        this.cells.set(key, { value, timestampUs });
    };
    const client = {
      connect: async () => {
        if (own.every((address) => this.silent.has(address))) throw new Error('no host answers');
      },
      shutdown: async () => {
        this.closed += 1;
      },
      on: (event: string, listener: (host: { address: string }) => void) => {
        this.#listeners.push({ by: own.join(), event, listener });
      },
      getReplicas: (_: string, key: Buffer) =>
        this.owners(key.toString()).map((address) => ({ address: `${address}:9042` })),
      execute: async (query: string, params: unknown[] = [], asked: { consistency?: number } = {}) => {
        const { node, timestampUs } = await at(query, asked.consistency);
        if (params[0] === '') throw new Error('Key may not be empty');
        if (query.includes('system_views')) {
          if (this.refuses) throw new Error(this.refuses);
          return answer(query.includes('gossip') ? this.#gossipOf(node) : this.hints.map((address) => ({ address })));
        }
        if (!query.startsWith('SELECT')) {
          apply(query, params, timestampUs);
          return answer([]);
        }
        const cell = this.shows(String(params[0]), this.cells.get(String(params[0])));
        return answer(cell?.value == null ? [] : [{ value: cell.value, written: cell.timestampUs }]);
      },
      batch: async (queries: { query: string; params: unknown[] }[], asked: { consistency?: number } = {}) => {
        const { timestampUs } = await at('BATCH', asked.consistency);
        for (const { query, params } of queries) apply(query, params, timestampUs);
        return answer([]);
      },
    };
    return client as unknown as CqlClient;
  }

  /** Heartbeats move every second; that of one that is silent stands still, and its state does not say so. */
  #gossipOf(observer: string): Row[] {
    const second = Math.floor(this.#clock.monotonicMs() / 1000);
    return this.#addresses.map((address) => ({
      ...{ address, generation: 1, dc: 'dc1', status_with_port: 'NORMAL,-9223372036854775808' },
      heartbeat: this.silent.has(address) && address !== observer ? 0 : second,
    }));
  }
}
