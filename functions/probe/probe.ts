import type { AuditEntry, CheckChange, EntryDetails, EntryType } from '../domain/audit-entry.ts';
import { observeAll } from '../domain/check-values.ts';
import type { Clock } from '../domain/clock.ts';
import type { Check } from '../domain/hypothesis.ts';
import { MAX_SHARDS_OF_LATENCIES } from '../domain/limits.ts';
import { LASTING_MS } from '../domain/rto.ts';
import { stateOf } from '../domain/status.ts';
import { LOOK_ON_SECONDS, PROBE_LAST_ACT_MS } from '../domain/timing.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import { type CheckWatchDependencies, watchChecks } from './check-watch.ts';
import { latencyLogs } from './latency-log.ts';
import { measurement } from './measurement.ts';
import { ACTOR, type ClientDependencies, POLL_INTERVAL_MS, ShardClient, type ShardToProbe } from './shard-client.ts';

/** After the end of the run: long enough to see that a recovery lasts, short enough for the verdict that waits. */
const SETTLE_MS = LASTING_MS + 500;
const SETTLE_DEADLINE_MS = 15_000;
/** Not a failed rollback: the recovery behind it is verified all the same. */
const ENDS: readonly EntryType[] = ['RECOVERY_VERIFIED', 'RECOVERY_FAILED', 'CONCLUDED'];
/** All that a run has written when its probe is started. */
const BEFORE_PROBE: readonly EntryType[] = [
  'APPROVAL_REQUESTED',
  'APPROVED',
  'ADMITTED',
  'ANNOUNCED',
  'STEADY_STATE_CONFIRMED',
  'TARGETS_RESOLVED',
];

export interface ProbeDependencies extends ClientDependencies, Pick<CheckWatchDependencies, 'readTelemetry'> {
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
  const { audit, clock, readTelemetry } = dependencies;
  try {
    const known = await audit.read(experimentId);
    const beyond = known.find(({ type }) => !BEFORE_PROBE.includes(type));
    if (beyond) return log.warn('too late to measure', { experimentId, found: beyond.type });
    const append = inTurn(audit);
    const { hypothesis } = stateOf(known).experiment ?? {};
    const checks = hypothesis?.checks ?? [];
    const clients = shards.map(
      (shard) => new ShardClient(experimentId, shard, checks, { ...dependencies, audit: { append } }),
    );
    const stop = new AbortController();
    const tell = (change: CheckChange) => append(experimentId, 'CHECK_CHANGED', ACTOR, change);
    const watching = watchChecks(checks, clients, { clock, readTelemetry, tell }, stop.signal);
    const observing = clients.map((client) => client.observe(stop.signal));
    const lookOnMs = hypothesis ? LOOK_ON_SECONDS * 1000 : 0;
    const entries = await untilEnd(experimentId, clients, lookOnMs, dependencies);
    stop.abort();
    await Promise.all([...observing, watching]);
    await Promise.all(
      clients.map(async (client, index) => {
        await client.account();
        const observed = observedOf(client, checks);
        const bulk = index < MAX_SHARDS_OF_LATENCIES ? [...latenciesOf(client, clock), ...observed] : observed;
        for (const [type, evidence] of bulk) {
          await append(experimentId, type, ACTOR, evidence).catch((error: unknown) => {
            client.seen.problems.push(`${type} not written: ${error}`);
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

type Evidence = { [T in 'LATENCY_RECORDED' | 'CHECKS_OBSERVED']: [T, EntryDetails[T]] }[
  | 'LATENCY_RECORDED'
  | 'CHECKS_OBSERVED'];

/** What a client saw in each second. */
function observedOf(client: ShardClient, checks: readonly Check[]): Evidence[] {
  const own = checks.filter(({ cluster }) => cluster === client.name.cluster);
  const observed = observeAll(own, client.view());
  return observed ? [['CHECKS_OBSERVED', { probed: client.name, ...observed }]] : [];
}

function latenciesOf({ name, seen }: ShardClient, clock: Clock): Evidence[] {
  return latencyLogs(name, seen, clock).map((log) => ['LATENCY_RECORDED', log]);
}

async function removeKeys({ store }: ShardToProbe, keys: readonly string[]): Promise<void> {
  if (!('removeAll' in store)) return;
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
 * The end of the run by its log, then at least so long, and until the last failure is old enough, or this process must go.
 * @returns the log as it was last read
 */
async function untilEnd(
  experimentId: string,
  clients: readonly ShardClient[],
  lookOnMs: number,
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
  const isSettled = () => quietForMs() >= SETTLE_MS && afterMs() >= lookOnMs;
  while (!outOfTime() && !isSettled() && afterMs() < SETTLE_DEADLINE_MS) {
    await clock.sleep(POLL_INTERVAL_MS);
  }
  return entries;
}
