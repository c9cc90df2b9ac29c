import type { AuditEntry, EntryType } from '../domain/audit-entry.ts';
import type { Clock } from '../domain/clock.ts';
import { LASTING_MS, type Operation, outages, rtoSeconds, worstOutage } from '../domain/rto.ts';
import { PROBE_PROOF_DEADLINE_MS } from '../domain/timing.ts';
import type { ProbeMeasurement } from '../domain/workflow.ts';
import type { StoreProbe } from '../engines/engine.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import { faultAtEpochMs } from './fault-time.ts';
import { checkLoss } from './loss-checker.ts';

const ACTOR = { function: 'probe' };
/** 20 operations a second: an outage is measured to 50 ms. */
const WRITE_INTERVAL_MS = 50;
const POLL_INTERVAL_MS = 500;
/** After the end of the run: long enough to see that a recovery lasts, short enough for the verdict that waits. */
const SETTLE_MS = LASTING_MS + 500;
const SETTLE_DEADLINE_MS = 15_000;
const READ_BACK_DEADLINE_MS = 15_000;
/** Kept for reading back and writing the result. */
const LAST_ACT_MS = 60_000;
const ENDS: readonly EntryType[] = ['RECOVERY_VERIFIED', 'RECOVERY_FAILED', 'ROLLBACK_FAILED', 'CONCLUDED'];

export interface ProbeDependencies {
  audit: Pick<AuditLog, 'append' | 'read'>;
  clock: Clock;
  /** How long this process may still run, milliseconds. */
  remainingMs: () => number;
}

/** What is remembered of a run while it lasts. */
interface Observed {
  operations: Operation[];
  acknowledged: Map<string, string>;
  keys: string[];
  promotion?: NonNullable<ProbeMeasurement['promotion']>;
  /** When the impacted nodes were seen to have an acknowledged write; absent: never. Monotonic. */
  provenAtMs?: number;
  /** The log as it was last read. */
  entries: readonly AuditEntry[];
  problems: string[];
}

/**
 * An honest client of one shard through the whole run: writes from before the fault until after the recovery, then
 * accounts for every acknowledged write. Always writes PROBE_MEASURED; what it could not measure is absent there.
 */
export async function probe(experimentId: string, shard: StoreProbe, dependencies: ProbeDependencies): Promise<void> {
  const { audit, clock } = dependencies;
  const seen: Observed = {
    operations: [],
    acknowledged: new Map(),
    keys: [],
    entries: [],
    problems: [],
  };
  let lostAcknowledgedWrites: number | undefined;
  try {
    await shard.connect();
    const stop = new AbortController();
    const background = [
      writeUntil(stop.signal, experimentId, shard, seen, clock),
      prove(stop.signal, experimentId, shard, seen, dependencies),
      watchLeader(stop.signal, experimentId, shard, seen, dependencies),
    ];
    try {
      await untilEnd(experimentId, seen, dependencies);
    } finally {
      stop.abort();
      await Promise.all(background);
    }
    const found = await readBack(shard, [...seen.acknowledged.keys()], clock);
    const report = checkLoss(seen.acknowledged, found);
    lostAcknowledgedWrites = report.lost.length;
  } catch (error) {
    seen.problems.push(error instanceof Error ? error.message : String(error));
  }
  const details = measurement(seen, lostAcknowledgedWrites, clock);
  await audit.append(experimentId, 'PROBE_MEASURED', ACTOR, details);
  await shard
    .removeAll(seen.keys)
    .catch((error: unknown) => log.warn('probe keys left to expire', { error: `${error}` }));
  shard.close();
}

/** An open loop: a slow answer does not keep the next write from being sent. */
async function writeUntil(stop: AbortSignal, experimentId: string, shard: StoreProbe, seen: Observed, clock: Clock) {
  const running = new Set<Promise<void>>();
  for (let number = 1; !stop.aborted; number++) {
    const key = `holdfast:probe:${experimentId}:${number}`;
    seen.keys.push(key);
    const operation = writeOnce(key, `${number}`, shard, seen, clock).finally(() => running.delete(operation));
    running.add(operation);
    await clock.sleep(WRITE_INTERVAL_MS);
  }
  await Promise.all(running);
}

async function writeOnce(key: string, value: string, shard: StoreProbe, seen: Observed, clock: Clock): Promise<void> {
  const startedAtMs = clock.monotonicMs();
  const { acknowledged, ok } = await shard.write(key, value);
  seen.operations.push({ startedAtMs, endedAtMs: clock.monotonicMs(), ok });
  if (acknowledged) seen.acknowledged.set(key, value);
}

/**
 * The keys must live on the node that the fault hits; elsewhere the probe would measure nothing. PROBE_READY says that
 * they do: the injection waits for it.
 */
async function prove(
  stop: AbortSignal,
  experimentId: string,
  shard: StoreProbe,
  seen: Observed,
  { audit, clock }: ProbeDependencies,
): Promise<void> {
  const deadlineMs = clock.monotonicMs() + PROBE_PROOF_DEADLINE_MS;
  while (!stop.aborted && clock.monotonicMs() < deadlineMs) {
    const [first] = seen.acknowledged;
    if (first && (await shard.isOnImpacted(...first).catch(() => false))) {
      seen.provenAtMs = clock.monotonicMs();
      await audit.append(experimentId, 'PROBE_READY', ACTOR, { shard: shard.shard }).catch((error: unknown) => {
        seen.problems.push(`PROBE_READY not written: ${error}`);
      });
      return;
    }
    await clock.sleep(POLL_INTERVAL_MS);
  }
}

async function watchLeader(
  stop: AbortSignal,
  experimentId: string,
  { shard, leader }: StoreProbe,
  seen: Observed,
  { audit, clock }: ProbeDependencies,
): Promise<void> {
  let known: string | undefined;
  while (!stop.aborted) {
    const current = await leader().catch(() => undefined);
    if (current !== undefined && known !== undefined && current !== known) {
      const promotion = { shard, from: known, to: current, at: new Date(clock.nowEpochMs()).toISOString() };
      seen.promotion ??= promotion;
      await audit.append(experimentId, 'PROMOTION_OBSERVED', ACTOR, promotion).catch((error: unknown) => {
        seen.problems.push(`PROMOTION_OBSERVED not written: ${error}`);
      });
    }
    known = current ?? known;
    await clock.sleep(POLL_INTERVAL_MS);
  }
}

/** The end of the run by its log, then until the last failure is old enough, or this process must go. */
async function untilEnd(experimentId: string, seen: Observed, { audit, clock, remainingMs }: ProbeDependencies) {
  const outOfTime = () => remainingMs() < LAST_ACT_MS;
  while (!outOfTime()) {
    seen.entries = await audit.read(experimentId).catch(() => seen.entries);
    if (seen.entries.some((entry) => ENDS.includes(entry.type))) break;
    await clock.sleep(2 * POLL_INTERVAL_MS);
  }
  const endedMs = clock.monotonicMs();
  const quietForMs = () => {
    const failures = seen.operations.filter((operation) => !operation.ok).map((operation) => operation.startedAtMs);
    return clock.monotonicMs() - Math.max(endedMs - SETTLE_MS, ...failures.slice(-100));
  };
  while (!outOfTime() && quietForMs() < SETTLE_MS && clock.monotonicMs() - endedMs < SETTLE_DEADLINE_MS) {
    await clock.sleep(POLL_INTERVAL_MS);
  }
}

async function readBack(shard: StoreProbe, keys: readonly string[], clock: Clock) {
  const deadlineMs = clock.monotonicMs() + READ_BACK_DEADLINE_MS;
  for (;;) {
    try {
      return await shard.readAll(keys);
    } catch (error) {
      if (clock.monotonicMs() >= deadlineMs) throw error;
      await clock.sleep(POLL_INTERVAL_MS);
    }
  }
}

function measurement(seen: Observed, lostAcknowledgedWrites: number | undefined, clock: Clock) {
  const epochOffsetMs = clock.nowEpochMs() - clock.monotonicMs();
  const iso = (monotonicMs: number) => new Date(monotonicMs + epochOffsetMs).toISOString();
  const found = outages(seen.operations);
  // Of a fault whose time is not known every outage counts, and no proof came before it.
  const faultAtMs = (faultAtEpochMs(seen.entries) ?? -Infinity) - epochOffsetMs;
  const worst = worstOutage(found, faultAtMs);
  const rto = rtoSeconds(worst);
  const measured: ProbeMeasurement = {
    ...(rto === undefined ? {} : { rtoSeconds: rto }),
    // Without a single operation nobody knows that it works.
    stillFailing: seen.operations.length === 0 || found.some((outage) => outage.recoveredAtMs === undefined),
    attemptedWrites: seen.keys.length,
    acknowledgedWrites: seen.acknowledged.size,
    ...(lostAcknowledgedWrites === undefined ? {} : { lostAcknowledgedWrites }),
    failedWrites: seen.operations.filter((operation) => !operation.ok).length,
    ...(worst ? { firstFailureAt: iso(worst.firstFailureAtMs) } : {}),
    ...(worst?.recoveredAtMs === undefined ? {} : { recoveredAt: iso(worst.recoveredAtMs) }),
    ...(seen.promotion ? { promotion: seen.promotion } : {}),
    // Proven while the fault was on is not proven: nobody saw what the client could do before.
    provenOnImpacted: seen.provenAtMs !== undefined && seen.provenAtMs < faultAtMs,
  };
  return { ...measured, outages: found.length, problems: seen.problems };
}
