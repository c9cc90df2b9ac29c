import { setTimeout as delay } from 'node:timers/promises';
import { type ApiClient, EXPERIMENTS_PATH } from '../cli/api-client.ts';
import { type DryRunDocument, dryRunSchema, statusSchema } from '../cli/api-documents.ts';
import { rolesOf } from '../cli/target-node.ts';
import { TERMINAL_STATUSES } from '../functions/domain/experiment.ts';
import type { Observer } from '../lab/fleet/observe.ts';
import { observeRedis } from '../lab/fleet/redis/observe.ts';
import type { Lab } from '../lab/runtime/lab-file.ts';

export interface Bench {
  lab: Lab;
  client: ApiClient;
}

export interface Running {
  experimentId: string;
  observer: Observer;
  /** Wall clock, milliseconds: when the request was sent, when a neighbour first could not reach the node. */
  postedAtEpochMs: number;
  activeAtEpochMs: number;
  /** Data address of the partitioned node. */
  address: string;
  worstCase: WorstCase;
  /** When a neighbour could reach the node again, seen from `fromEpochMs` on. */
  lifted(fromEpochMs: number, timeoutMs: number): Promise<number>;
}

const ADMISSION_TIMEOUT_MS = 150_000;
const ACTIVE_TIMEOUT_MS = 30_000;
const TERMINAL_TIMEOUT_MS = 240_000;

/** What the dry run says at worst, seconds: lifted after a breach, and after the guard is lost. */
type WorstCase = DryRunDocument['facts']['clusters'][number]['worstCase'];

/** Alerts up to this severity do not end the run. */
type Tolerated = 'INFO' | 'WARNING';

type Payload = { experimentId: string } & Record<string, unknown>;

function partition(node: string, lab: Lab, durationSeconds: number, maxAlertSeverity: Tolerated): Payload {
  const shard = lab.hosts.find((host) => host.name === node)?.shard;
  const peers = lab.hosts.filter((host) => host.shard === shard && host.name !== node).map((host) => host.name);
  return {
    experimentId: `bench_${Date.now().toString(36)}`,
    targetService: 'redis-master',
    action: 'NETWORK_PARTITION',
    parameters: { latencyMs: 0, packetLossPct: 100, targetPartitionGroupA: peers, targetPartitionGroupB: [node] },
    durationSeconds,
    safetyThreshold: { maxAlertSeverity, automaticRollbackOnAlert: true },
  };
}

/**
 * Partitions the current master of a shard, hands the running experiment over, and in any case waits until it is over.
 * @throws Error when it is not admitted in time, when its fault is never seen, or when its end is.
 */
export async function withPartitionedMaster<T>(
  { lab, client }: Bench,
  shard: string,
  durationSeconds: number,
  measure: (running: Running) => Promise<T>,
  maxAlertSeverity: Tolerated = 'WARNING',
): Promise<T> {
  const { payload, worstCase } = await admitted({ lab, client }, shard, durationSeconds, maxAlertSeverity);
  const node = lab.hosts.find((host) =>
    (payload.parameters as { targetPartitionGroupB: string[] }).targetPartitionGroupB.includes(host.name),
  );
  const neighbour = lab.hosts.find((host) => host.shard === shard && host.name !== node?.name);
  if (!node || !neighbour) throw new Error(`${shard}: no node or no neighbour in lab.json`);
  const observer = observeRedis({ fromPid: neighbour.pid, address: node.dataAddress });
  const path = `${EXPERIMENTS_PATH}/${payload.experimentId}`;
  try {
    await observer.waitFor(true, Date.now(), 5_000);
    const postedAtEpochMs = Date.now();
    const start = client.call('POST', EXPERIMENTS_PATH, JSON.stringify(payload)).then((answer) => {
      if (answer.status !== 202) throw new Error(`POST: ${answer.status} ${JSON.stringify(answer.body)}`);
    });
    const active = observer.waitFor(false, postedAtEpochMs, ACTIVE_TIMEOUT_MS);
    // A refused start ends the wait at once; an accepted one says nothing about the fault.
    const activeAtEpochMs = await Promise.race([active, start.then(() => active)]);
    const result = await measure({
      experimentId: payload.experimentId,
      observer,
      postedAtEpochMs,
      activeAtEpochMs,
      address: node.dataAddress,
      worstCase,
      lifted: (fromEpochMs, timeoutMs) => observer.waitFor(true, fromEpochMs, timeoutMs),
    });
    await start;
    return result;
  } finally {
    await untilOver(client, path);
    observer.stop();
  }
}

/** Asks with dry runs until the shard's master may be partitioned: after a run the steady state needs a minute. */
async function admitted(
  { lab, client }: Bench,
  shard: string,
  durationSeconds: number,
  maxAlertSeverity: Tolerated,
): Promise<{ payload: Payload; worstCase: WorstCase }> {
  const deadlineMs = performance.now() + ADMISSION_TIMEOUT_MS;
  let last = 'nothing was asked';
  while (performance.now() < deadlineMs) {
    for (const { name } of lab.hosts.filter((host) => host.shard === shard)) {
      const payload = partition(name, lab, durationSeconds, maxAlertSeverity);
      const answer = await client.call('POST', `${EXPERIMENTS_PATH}?dryRun=true`, JSON.stringify(payload));
      const { data } = dryRunSchema.safeParse(answer.body);
      last = `${answer.status} ${JSON.stringify(answer.body)}`;
      const impacted = data?.facts.targets.flatMap((target) => target.impacted) ?? [];
      const isMaster = impacted.some(
        (node) => node.name === name && rolesOf(node).some(({ role }) => role === 'master'),
      );
      const [facts] = data?.facts.clusters ?? [];
      if (facts && isMaster) return { payload, worstCase: facts.worstCase };
    }
    await delay(2_000);
  }
  throw new Error(`${shard}: no master could be partitioned within ${ADMISSION_TIMEOUT_MS / 1000} s: ${last}`);
}

async function untilOver(client: ApiClient, path: string): Promise<void> {
  const deadlineMs = performance.now() + TERMINAL_TIMEOUT_MS;
  while (performance.now() < deadlineMs) {
    const answer = await client.call('GET', `${path}/status`);
    if (answer.status === 404) return;
    const parsed = statusSchema.safeParse(answer.body);
    if (parsed.success && TERMINAL_STATUSES.includes(parsed.data.status)) return;
    await delay(1_000);
  }
  throw new Error(`${path} was not over after ${TERMINAL_TIMEOUT_MS / 1000} s`);
}
