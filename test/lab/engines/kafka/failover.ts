import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { RecordAccount } from '../../../../functions/domain/record-account.ts';
import { type Operation, outages, rtoSeconds, worstOutage } from '../../../../functions/domain/rto.ts';
import { kafkaProbe } from '../../../../functions/engines/kafka/probe.ts';
import { commandOn } from '../../../../lab/cli/exec.ts';
import { records } from '../../../../lab/fleet/kafka/applications.ts';
import { readStoreKeys } from '../../../../lab/fleet/store-keys.ts';
import { readLab } from '../../../../lab/runtime/lab-file.ts';
import { access, cluster, nodes } from './cluster.ts';

/** Two clients of a partition through a failover, in the network of the lab's functions: this file is its own child there. */

const PERIOD_MS = 50;
/** As the probe gives up. */
const DEADLINE_MS = 1_000;
const PATIENCE_MS = 40_000;

interface Seen {
  /** By the product's probe. */
  rtoSeconds: number | undefined;
  account: RecordAccount;
  /** By an application of the lab, with another client: the longest time without an acknowledgement. */
  longestSilenceSeconds: number;
}

/** @returns when both clients write; `seen` when the probe has seen an outage and its end. */
export async function watchFailover(directory: string, partition: number): Promise<{ seen: Promise<Seen> }> {
  const argv = commandOn(readLab(directory), 'vpc', [process.execPath, import.meta.filename, String(partition)]);
  const [program = '', ...rest] = argv;
  const env = { ...process.env, LAB_DIRECTORY: directory };
  const child = spawn(program, rest, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const line = await lines.next();
    if (line.done) throw new Error(`the clients ended with ${child.exitCode ?? (await once(child, 'exit'))}`);
    return line.value;
  };
  await next();
  return { seen: next().then((line) => JSON.parse(line)) };
}

async function main(partition: number): Promise<void> {
  const keys = readStoreKeys(process.env.LAB_DIRECTORY ?? '');
  const members = nodes.map((node) => ({ ...node, roles: [] }));
  const shard = { shard: `${cluster.kafka.probeTopic}-${partition}`, members, impacted: members };
  const probe = kafkaProbe({ ...shard, cluster, access: access(keys, 'holdfast'), choices: {} });
  const application = await records.connectProducer('orders', keys);
  await probe.connect();
  const operations: Operation[] = [];
  const acknowledgedMs: number[] = [];
  const write = (key: string): void => {
    const startedAtMs = performance.now();
    probe.write(key, key).then((ok) => operations.push({ startedAtMs, endedAtMs: performance.now(), ok }));
    application
      .produce(partition, [{ key, value: key }], AbortSignal.timeout(DEADLINE_MS))
      .then(() => acknowledgedMs.push(performance.now()))
      .catch(() => undefined);
  };
  const outage = () => worstOutage(outages(operations), Number.NEGATIVE_INFINITY);
  const isOver = () => outage()?.recoveredAtMs !== undefined;
  let said = false;
  for (const untilMs = performance.now() + PATIENCE_MS; performance.now() < untilMs && !isOver(); ) {
    write(`${process.pid}-${performance.now()}`);
    await delay(PERIOD_MS);
    if (said || operations.length < 10 || acknowledgedMs.length < 10) continue;
    said = true;
    process.stdout.write('both write\n');
  }
  const silences = acknowledgedMs.slice(1).map((atMs, index) => atMs - (acknowledgedMs[index] ?? atMs));
  const seen: Seen = {
    rtoSeconds: rtoSeconds(outage()),
    account: await probe.account(),
    longestSilenceSeconds: Math.max(...silences) / 1000,
  };
  process.stdout.write(`${JSON.stringify(seen)}\n`, () => process.exit(0));
}

if (process.argv[1] === import.meta.filename) await main(Number(process.argv[2]));
