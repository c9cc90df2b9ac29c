import { Client, type ClientOptions } from 'cassandra-driver';
import type { Clock } from '../../domain/clock.ts';
import type { ProbeChoices } from '../../domain/experiment.ts';
import type { ProbedShard } from '../../domain/probed-shards.ts';
import type { FailoverNews } from '../../domain/recovery-phases.ts';
import type { TargetNode } from '../../domain/targets.ts';
import { accountOfValues } from '../../domain/value-account.ts';
import { systemClock } from '../../runtime/system-clock.ts';
import type { StoreAccess, ValueProbe } from '../engine.ts';
import type { CassandraCluster } from './configuration.ts';
import type { CASSANDRA_HEALTH } from './engine.ts';
import { CONSISTENCY, type CqlClient, probeClients } from './probe-clients.ts';
import { Contests } from './probe-contests.ts';
import { GossipWatch } from './probe-gossip.ts';
import { readGossip } from './probe-gossip-view.ts';
import { KeysOnNodes } from './probe-keys.ts';
import { ProbeLedger } from './probe-ledger.ts';
import { readBack } from './probe-read-back.ts';
import { ProbeTable } from './probe-table.ts';

/** How often each node is asked what it hears of the others. */
const WATCH_INTERVAL_MS = 500;
/** A node pushes its news; from its failure detector to here. */
const NEWS_UNCERTAINTY_MS = 100;

export interface CassandraProbeOptions extends ProbedShard {
  cluster: CassandraCluster;
  access: StoreAccess;
  choices: ProbeChoices;
}

/** Which a test has its own of. */
export interface ProbeSurroundings {
  open(options: ClientOptions): CqlClient;
  clock: Clock;
}

/**
 * A client of one datacenter's copies of the probe's keyspace, and beside it, for each node, a client that asks that one
 * alone: for its gossip, and for the contests of two coordinators.
 */
export function cassandraProbe(
  { shard, members, impacted, cluster, access, choices }: CassandraProbeOptions,
  { open, clock }: ProbeSurroundings = { open: (options) => new Client(options), clock: systemClock },
): ValueProbe {
  const { probeKeyspace } = cluster.cassandra;
  const datacenter = shard.slice(probeKeyspace.length + 1);
  const options = probeClients(cluster, access, { datacenter, choices });
  const table = new ProbeTable(cluster, CONSISTENCY[choices.consistency ?? 'QUORUM']);
  // Reads have connections of their own: no write that hangs is in their way.
  const [writer, reader] = [open(options.ofDatacenter(members)), open(options.ofDatacenter(members))];
  const lone = members.map((node) => ({ node, name: node.name, client: open(options.ofNode(node)) }));
  const isImpacted = ({ name }: Pick<TargetNode, 'name'>) => impacted.some((node) => node.name === name);
  const keys = new KeysOnNodes(writer, probeKeyspace, impacted);
  const ledger = new ProbeLedger(clock);
  const gossip = new GossipWatch(members, datacenter);
  const contests = new Contests(
    { impacted: lone.filter(isImpacted), others: lone.filter((each) => !isImpacted(each)) },
    { table, ledger, clock },
  );
  const [stop, lastContest] = [new AbortController(), new AbortController()];
  let contesting = Promise.resolve();
  let tell = (_news: FailoverNews) => {};
  let complain = (_problem: string) => {};

  async function watch({ name, client }: (typeof lone)[number]): Promise<void> {
    client.on('hostDown', ({ address }) => {
      const node = gossip.convicted(name, address);
      if (node === undefined) return;
      tell({ what: 'DETECTED', text: `${name} calls ${node} DOWN`, uncertaintyMs: NEWS_UNCERTAINTY_MS });
    });
    client.on('hostUp', ({ address }) => gossip.absolved(name, address));
    let refused: string | undefined;
    while (!stop.signal.aborted) {
      try {
        gossip.heard(name, await readGossip(client), clock.monotonicMs());
      } catch (error) {
        // One that does not answer is for others to tell; one that may not say it is not heard of again.
        const problem = error instanceof Error && error.message.includes('permission') ? error.message : undefined;
        if (problem !== undefined && problem !== refused) complain(`${name}: ${problem}`);
        refused = problem ?? refused;
      }
      await clock.sleep(WATCH_INTERVAL_MS, stop.signal).catch(() => undefined);
    }
  }

  return {
    shard,
    async connect() {
      // Whoever does not answer alone is asked again and again; the datacenter's clients need one that does.
      const alone = lone.map(({ client }) => client.connect().catch(() => undefined));
      await Promise.all([writer.connect(), reader.connect(), ...alone]);
      // Prepared before the first operation, and refused here where a right or the table is missing.
      await Promise.all([writer, reader].map((client) => table.read(client, 'holdfast:probe')));
      for (const each of lone) void watch(each);
      contesting = contests.run(`holdfast:probe:${crypto.randomUUID()}`, lastContest.signal);
    },
    async write(key, value) {
      const stored = keys.of(key);
      const sent = ledger.send({ key: stored, value });
      try {
        await table.write(writer, stored, value);
        sent.acknowledge();
        return true;
      } catch {
        return false;
      }
    },
    async read(key) {
      try {
        const stored = keys.of(key);
        return await ledger.read(stored, async () => (await table.read(reader, stored))?.value ?? null);
      } catch {
        return undefined;
      }
    },
    async isOnImpacted(key, value) {
      const owners = keys.ownersOf(key);
      const asked = lone.filter(({ name }) => owners.includes(name));
      const answers = await Promise.all(asked.map(({ client }) => table.readAlone(client, keys.of(key))));
      return answers.length > 0 && answers.every((answer) => answer?.value === value);
    },
    leader: async () => undefined,
    async health(): Promise<Partial<Record<keyof typeof CASSANDRA_HEALTH, number>>> {
      const nowMs = clock.monotonicMs();
      const [liveReplicas, pendingHints] = [gossip.liveMembers(nowMs), gossip.owedMembers(nowMs)];
      return {
        ...(liveReplicas === undefined ? {} : { liveReplicas }),
        ...(pendingHints === undefined ? {} : { pendingHints }),
        convictions: gossip.convictions,
      };
    },
    copiesMeasure: 'liveReplicas',
    listen(toTell, toComplain) {
      tell = toTell;
      complain = toComplain;
    },
    async account() {
      lastContest.abort();
      await contesting;
      const last = await readBack(ledger.sent, (key) => table.read(reader, key), contests.witnesses);
      return accountOfValues(ledger.sent, ledger.seen, last, clock.nowEpochMs() - clock.monotonicMs());
    },
    close() {
      for (const each of [stop, lastContest]) each.abort();
      for (const client of [writer, reader, ...lone.map((each) => each.client)])
        client.shutdown().catch(() => undefined);
    },
  };
}
