import type { AuditEntry, EntryType } from '../domain/audit-entry.ts';
import type { Clock } from '../domain/clock.ts';
import { LASTING_MS } from '../domain/rto.ts';
import { PROBE_LAST_ACT_MS } from '../domain/timing.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import { latencyLogs } from './latency-log.ts';
import { measurement } from './measurement.ts';
import { ACTOR, type ClientDependencies, POLL_INTERVAL_MS, ShardClient, type ShardToProbe } from './shard-client.ts';

/** After the end of the run: long enough to see that a recovery lasts, short enough for the verdict that waits. */
const SETTLE_MS = LASTING_MS + 500;
const SETTLE_DEADLINE_MS = 15_000;
/** Not a failed rollback: the recovery behind it is verified all the same. */
const ENDS: readonly EntryType[] = ['RECOVERY_VERIFIED', 'RECOVERY_FAILED', 'CONCLUDED'];
/** All that a run has written when its probe is started. */
const BEFORE_PROBE: readonly EntryType[] = ['ADMITTED', 'STEADY_STATE_CONFIRMED', 'TARGETS_RESOLVED'];

export interface ProbeDependencies extends ClientDependencies {
  audit: Pick<AuditLog, 'append' | 'read'>;
  clock: Clock;
  /** How long this process may still run, milliseconds. */
  remainingMs: () => number;
}

/**
 * A client of each impacted shard through the whole run: from before the fault until after the recovery. Writes
 * PROBE_MEASURED for each; what it could not measure is absent there. An invocation that comes when the run is already
 * further on, or measured by another one, writes nothing: Lambda may deliver an event late, and twice.
 *
 * @throws Error when the log cannot be read at the start; then nothing is injected
 */
export async function probe(
  experimentId: string,
  shards: readonly ShardToProbe[],
  dependencies: ProbeDependencies,
): Promise<void> {
  const { audit, clock } = dependencies;
  try {
    const beyond = (await audit.read(experimentId)).find(({ type }) => !BEFORE_PROBE.includes(type));
    if (beyond) return log.warn('too late to measure', { experimentId, found: beyond.type });
    const append = inTurn(audit);
    const clients = shards.map((shard) => new ShardClient(experimentId, shard, { ...dependencies, audit: { append } }));
    const stop = new AbortController();
    const observing = clients.map((client) => client.observe(stop.signal));
    const entries = await untilEnd(experimentId, clients, dependencies);
    stop.abort();
    await Promise.all(observing);
    await Promise.all(
      clients.map(async (client) => {
        await client.account();
        for (const log of latencyLogs(client.name, client.seen, clock)) {
          await append(experimentId, 'LATENCY_RECORDED', ACTOR, log).catch((error: unknown) => {
            client.seen.problems.push(`LATENCY_RECORDED not written: ${error}`);
          });
        }
        const { copiesMeasure } = client.shard.store;
        const details = measurement(client.name, client.seen, entries, { clock, copiesMeasure });
        await append(experimentId, 'PROBE_MEASURED', ACTOR, details);
      }),
    );
    await Promise.all(clients.map(({ shard, seen }) => removeKeys(shard, seen.keys)));
  } finally {
    for (const { store } of shards) store.close();
  }
}

async function removeKeys({ store }: ShardToProbe, keys: readonly string[]): Promise<void> {
  await store
    .removeAll(keys)
    .catch((error: unknown) => log.warn('probe keys left to expire', { shard: store.shard, error: `${error}` }));
}

/** One entry after the other: shards that append at once would only be in each other's way. */
function inTurn(audit: Pick<AuditLog, 'append'>): AuditLog['append'] {
  let last: Promise<unknown> = Promise.resolve();
  return (...entry) => {
    const next = last.then(() => audit.append(...entry));
    last = next.catch(() => undefined);
    return next;
  };
}

/**
 * The end of the run by its log, then until the last failure is old enough, or this process must go.
 * @returns the log as it was last read
 */
async function untilEnd(
  experimentId: string,
  clients: readonly ShardClient[],
  { audit, clock, remainingMs }: ProbeDependencies,
): Promise<readonly AuditEntry[]> {
  const outOfTime = () => remainingMs() < PROBE_LAST_ACT_MS;
  let entries: readonly AuditEntry[] = [];
  while (!outOfTime()) {
    entries = await audit.read(experimentId).catch(() => entries);
    if (entries.some(({ type }) => ENDS.includes(type))) break;
    await clock.sleep(2 * POLL_INTERVAL_MS);
  }
  const endedMs = clock.monotonicMs();
  const afterMs = () => clock.monotonicMs() - endedMs;
  const quietForMs = () => Math.min(afterMs(), ...clients.map((client) => client.sinceFailureMs()));
  while (!outOfTime() && quietForMs() < SETTLE_MS && afterMs() < SETTLE_DEADLINE_MS) {
    await clock.sleep(POLL_INTERVAL_MS);
  }
  return entries;
}
