import { describe, expect, it } from 'vitest';
import { topologyProblems } from '../../../../functions/domain/topology.ts';
import type { Ask, Row } from '../../../../functions/engines/cassandra/connection.ts';
import { NodeLinks } from '../../../../functions/engines/cassandra/links.ts';
import { cassandraStore } from '../../../../functions/engines/cassandra/store.ts';
import { SimulatedClock } from '../../domain/simulated-clock.ts';
import { cassandraCluster, host, KEYSPACES, NODES, node } from './fixtures.ts';

const refusal = (code: number, message: string) => Object.assign(new Error(message), { name: 'ResponseError', code });
const UNAUTHORIZED = 0x2100;
const INVALID = 0x2200;

/** A node as it answers statement by statement: rows as the driver gives them. */
function rowsOf(id: number, statement: string, clock: SimulatedClock, still: readonly number[]): Row[] {
  const row = (each: number) => ({
    ...{ host_id: host(each), data_center: 'dc1', rack: `r${each}`, tokens: [String(each * 100)] },
  });
  if (statement.includes('system.local'))
    return [
      {
        ...row(id),
        broadcast_address: `10.77.0.5${id}`,
        listen_address: null,
        rpc_address: `10.77.0.5${id}`,
        schema_version: 's',
      },
    ];
  if (statement.includes('peers_v2'))
    return [1, 2, 3]
      .filter((each) => each !== id)
      .map((each) => ({ ...row(each), peer: `10.77.0.5${each}`, native_address: `10.77.0.5${each}` }));
  if (statement.includes('gossip_info'))
    return [1, 2, 3].map((each) => ({
      ...{ host_id: host(each), generation: 1, status_with_port: 'NORMAL,-17' },
      heartbeat: still.includes(each) ? 5 : Math.floor(clock.monotonicMs() / 1000),
    }));
  if (statement.includes('system_schema.keyspaces'))
    return KEYSPACES.map(({ name, strategy, factors }) => ({
      keyspace_name: name,
      replication: { class: strategy, ...factors },
    }));
  if (statement.includes('system_schema.tables')) return [{ table_name: 'probe' }];
  if (statement.includes('streaming'))
    return [{ operation: 'Rebuild', peers: ['/10.77.0.53:7000'], status: 'success', progress_percentage: 100 }];
  if (statement.includes('repairs')) return [{ keyspace_name: 'orders', completed: true }];
  if (statement.includes('settings')) return [{ name: 'data_file_directories', value: '[/var/lib/cassandra/data]' }];
  return [];
}

type Answers = (id: number, statement: string) => Row[] | undefined;

function storeOf({ still = [], answers }: { still?: number[]; answers?: Answers } = {}) {
  const clock = new SimulatedClock();
  const asked: string[] = [];
  const links = {
    with: async <T>({ name }: { name: string }, question: (ask: Ask) => Promise<T>) => {
      const id = Number(name.at(-1));
      asked.push(name);
      return question(async (statement) => answers?.(id, statement) ?? rowsOf(id, statement, clock, still));
    },
  };
  return {
    store: cassandraStore(cassandraCluster(), { credentials: {}, certificates: {} }, { clock, links }),
    clock,
    asked,
  };
}

describe('a look at Cassandra', () => {
  it('asks every node until heartbeats were seen to move, and is quick from then on', async () => {
    const { store, clock, asked } = storeOf();
    const topology = await store.readTopology(NODES);
    expect(topologyProblems(topology)).toEqual([]);
    expect(topology.shards[0]?.members.map(({ role }) => role)).toEqual(['seed', 'seed', 'replica']);
    expect(clock.monotonicMs()).toBe(1000);
    expect(new Set(asked)).toEqual(new Set([1, 2, 3].map(node)));
    clock.advance(2000);
    expect(topologyProblems(await store.readTopology(NODES))).toEqual([]);
    expect(clock.monotonicMs()).toBe(3000);
  });

  it('finds out a node that stands still although everybody calls it NORMAL, within the time that one may', async () => {
    const { store, clock } = storeOf({ still: [3] });
    expect(topologyProblems(await store.readTopology(NODES))).toEqual([
      `store: ${node(3)} has stood still for 6.0 s, as ${node(1)}, ${node(2)} sees it`,
    ]);
    expect(clock.monotonicMs()).toBe(6000);
  });

  it('names the right that is missing, once a node, and waits for nothing that nobody tells', async () => {
    const { store, clock } = storeOf({
      answers: (id, statement) => {
        if (id === 1 && statement.includes('system_views')) throw refusal(UNAUTHORIZED, 'no SELECT permission');
        return undefined;
      },
    });
    expect((await store.readTopology(NODES)).problems).toEqual([
      `${node(1)} does not tell for whom it keeps hints, how it is set, what it repairs, what it streams, whose heartbeats it sees: the user has no SELECT ON KEYSPACE system_views`,
    ]);
    expect(clock.monotonicMs()).toBe(1000);
  });

  it('says why of a node that does not answer, is too old, or begins to be silent between two looks', async () => {
    let looks = 0;
    const { store } = storeOf({
      answers: (id, statement) => {
        if (id === 1) throw new Error('connect ECONNREFUSED');
        if (id === 2 && statement.includes('peers_v2')) throw refusal(INVALID, 'table peers_v2 does not exist');
        if (id === 3 && statement.includes('gossip_info') && looks++ > 0) throw new Error('reset');
        return undefined;
      },
    });
    const { problems, silentNodes } = await store.readTopology(NODES);
    expect(silentNodes).toEqual([1, 2, 3].map(node));
    expect(problems).toEqual([
      `${node(1)} does not answer: connect ECONNREFUSED`,
      `${node(2)} does not answer: it does not know what is asked of it: Cassandra 4.1 or newer is supported`,
      `${node(3)} does not answer: reset`,
    ]);
  });

  it('passes over streams and repairs that have ended, and tells of those under way and of hints that wait', async () => {
    const { store } = storeOf({
      answers: (id, statement) => {
        if (id !== 1) return undefined;
        if (statement.includes('streaming'))
          return [{ operation: 'Bootstrap', peers: ['/10.77.0.53:7000'], status: 'start', progress_percentage: 12.7 }];
        if (statement.includes('repairs')) return [{ keyspace_name: 'orders', completed: false }];
        return statement.includes('hints')
          ? [
              { host_id: host(3), files: 2 },
              { host_id: host(2), files: 0 },
            ]
          : undefined;
      },
    });
    const { problems, replicaSets } = await store.readTopology(NODES);
    expect(problems).toEqual([
      `${node(1)} keeps hints for ${node(3)} (2 files)`,
      `${node(1)} streams data: Bootstrap with /10.77.0.53:7000 (12 %)`,
      `${node(1)} repairs orders`,
    ]);
    expect(replicaSets?.every(({ isReassigned }) => isReassigned)).toBe(true);
  });

  it('repairs nothing: hints are handed over by those who keep them', async () => {
    expect(await storeOf().store.repair(NODES)).toEqual([]);
  });
});

describe('the client of one node', () => {
  const access = { login: undefined, tlsTo: () => undefined, tlsAmong: () => undefined };
  const [first] = NODES;
  if (!first) throw new Error('no node');

  it('is kept from look to look, also when the node refuses a statement, and begun anew after a failure', async () => {
    let [opened, closed] = [0, 0];
    const links = new NodeLinks(access, async () => {
      opened += 1;
      return { ask: async () => [], close: () => (closed += 1) };
    });
    const use = (error?: Error) =>
      links.with(first, async (ask) => {
        if (error) throw error;
        return ask('SELECT');
      });
    await use();
    await expect(use(refusal(UNAUTHORIZED, 'no'))).rejects.toThrow('no');
    await use();
    expect([opened, closed]).toEqual([1, 0]);
    await expect(use(new Error('timed out'))).rejects.toThrow('timed out');
    await use();
    expect([opened, closed]).toEqual([2, 1]);
    links.close();
    await use();
    expect([opened, closed]).toEqual([3, 2]);
    links.close();
  });

  it('that could not be opened is tried again at the next look', async () => {
    let tries = 0;
    const links = new NodeLinks(access, async () => {
      tries += 1;
      throw new Error(`try ${tries}`);
    });
    for (const count of [1, 2])
      await expect(links.with(first, async (ask) => ask('x'))).rejects.toThrow(`try ${count}`);
    links.close();
  });
});
