import { firstWindowSecond, isProbed, probedBefore, readBefore, type ShardView } from '../domain/check-values.ts';
import type { Clock } from '../domain/clock.ts';
import type { Check } from '../domain/hypothesis.ts';
import { openLoop, type TimedOperation } from '../domain/open-loop.ts';
import { PROBE_BASELINE_MS, PROBE_PROOF_DEADLINE_MS } from '../domain/timing.ts';
import type { CheckReading } from '../domain/workflow.ts';
import type { StoreProbe, WriteAccount } from '../engines/engine.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import { checkLoss } from './loss-checker.ts';
import { nothingObserved, type Observed } from './observed.ts';

export const ACTOR = { function: 'probe' };
/** 20 operations a second: an outage is measured to 50 ms. */
const OPERATION_INTERVAL_MS = 50;
export const POLL_INTERVAL_MS = 500;
const WARM_UP_SECONDS = 1;
const MAX_LATER_SECONDS = 3;
const READ_BACK_DEADLINE_MS = 15_000;

/** One shard to measure. */
export interface ShardToProbe {
  cluster: string;
  store: StoreProbe;
}

export interface ClientDependencies {
  audit: Pick<AuditLog, 'append'>;
  clock: Clock;
  /** Of this invocation alone. Another one of the same event must not write what this one misses. */
  invocation: string;
}

/** An honest client of one shard: it writes all the time, and accounts for every acknowledged write at the end. */
export class ShardClient {
  readonly shard: ShardToProbe;
  readonly seen: Observed = nothingObserved();
  /** Of these, by key, what nobody has consumed yet. */
  readonly #unconsumed = new Map<string, TimedOperation>();
  /** PROBE_READY was written, or will never be. */
  isDoneProving = false;
  /** Whether any check is about what is measured here: its values of before the fault are needed. */
  readonly #hasChecks: boolean;
  /** Of these, those that must hold before. */
  readonly #before: readonly Check[];
  readonly #experimentId: string;
  readonly #dependencies: ClientDependencies;

  /** @param checks of the experiment; those of other clusters are not its affair */
  constructor(experimentId: string, shard: ShardToProbe, checks: readonly Check[], dependencies: ClientDependencies) {
    this.#experimentId = experimentId;
    this.shard = shard;
    const own = checks.filter(({ cluster }) => cluster === shard.cluster);
    this.#hasChecks = own.some(isProbed);
    this.#before = probedBefore(own);
    this.#dependencies = dependencies;
  }

  get name() {
    const { cluster, store } = this.shard;
    return { cluster, shard: store.shard, invocation: this.#dependencies.invocation };
  }

  /** Never rejects: what could not be done is a problem of the measurement. */
  async observe(stop: AbortSignal): Promise<void> {
    try {
      const { store } = this.shard;
      store.listen(
        (news) => this.seen.news.push({ ...news, atMs: this.#dependencies.clock.monotonicMs() }),
        (problem) => this.#problem(problem),
      );
      if ('follow' in store) store.follow((key) => this.#consumed(key));
      await store.connect();
      await Promise.all([this.#operate(stop), this.#prove(stop), this.#watchLeader(stop), this.#watchHealth(stop)]);
    } catch (error) {
      this.#problem(error);
    }
  }

  /** Reads back every acknowledged write. Never rejects: then nobody knows what was lost. */
  async account(): Promise<void> {
    const { acknowledged } = this.seen;
    const { store } = this.shard;
    try {
      if ('account' in store) return this.#accountFor(await this.#readBack<WriteAccount>(() => store.account()));
      const found = await this.#readBack(() => store.readAll([...acknowledged.keys()]));
      const { lost, lossSpanSeconds } = checkLoss(acknowledged, found);
      this.seen.lostAcknowledgedWrites = lost.length;
      if (lossSpanSeconds !== undefined) this.seen.lossSpanSeconds = lossSpanSeconds;
    } catch (error) {
      this.#problem(error);
    }
  }

  #accountFor(account: WriteAccount): void {
    const { lost } = account;
    this.seen.account = account;
    if (lost !== undefined) this.seen.lostAcknowledgedWrites = lost;
    if ('staleReads' in account) {
      // Also of what it wrote and read beside the operations here.
      this.seen.staleReads = account.staleReads;
      return;
    }
    const { repeatedOffsets, examples } = account;
    if (repeatedOffsets === 0) return;
    const [first] = examples.repeatedOffsets;
    this.#problem(
      `the client library acknowledged ${repeatedOffsets} records with an offset of another one, as ${first?.key} at ${first?.offset}: its fault, not the store's`,
    );
  }

  /** As checks see it, until now. */
  view(): ShardView {
    const { clock } = this.#dependencies;
    const { writes, reads, consumes, health } = this.seen;
    const nowMs = clock.monotonicMs();
    return { writes, reads, consumes, health, nowMs, epochOffsetMs: clock.nowEpochMs() - nowMs };
  }

  /** How long ago the last of the latest failures began; `Infinity` when none did. */
  sinceFailureMs(): number {
    const failures = this.seen.operations.filter(({ ok }) => !ok).slice(-100);
    return this.#dependencies.clock.monotonicMs() - Math.max(...failures.map(({ startedAtMs }) => startedAtMs));
  }

  async #operate(stop: AbortSignal): Promise<void> {
    const { clock, invocation } = this.#dependencies;
    const prefix = `holdfast:probe:${this.#experimentId}:${this.shard.store.shard}:${invocation}`;
    const running = new Set<Promise<void>>();
    await openLoop(OPERATION_INTERVAL_MS, { clock, stop }, (number, dueMs) => {
      const key = `${prefix}:${number}`;
      this.seen.keys.push(key);
      this.seen.starts.push({ monotonicMs: clock.monotonicMs(), epochMs: clock.nowEpochMs() });
      const operation = this.#writeAndRead(key, `${invocation}:${number}`, dueMs).finally(() =>
        running.delete(operation),
      );
      running.add(operation);
    });
    await Promise.all(running);
    for (const consume of this.#unconsumed.values()) consume.endedMs ??= clock.monotonicMs();
  }

  /**
   * The read is due when the write has ended, well or not, and at the latest when the next write is due: neither an outage
   * nor a write that hangs may hide what reads were like. A read from before the promise proves nothing, so that then
   * another one follows, which is not timed.
   */
  async #writeAndRead(key: string, value: string, dueMs: number): Promise<void> {
    const { operations, writes, reads, acknowledged } = this.seen;
    const { clock } = this.#dependencies;
    const { store } = this.shard;
    const startedAtMs = clock.monotonicMs();
    if ('follow' in store) this.#expect(key, dueMs);
    let isWritten = false;
    const writing = this.#timed(writes, dueMs, store.write(key, value), (promised) => promised).finally(() => {
      isWritten = true;
    });
    await Promise.race([writing, clock.sleep(OPERATION_INTERVAL_MS)]);
    const isReadBack = isWritten;
    const reading = this.#timed(reads, clock.monotonicMs(), store.read(key), (answer) => answer !== undefined);
    if (await writing) {
      acknowledged.set(key, { value, atMs: clock.monotonicMs() });
      const found = isReadBack ? await reading : await store.read(key);
      operations.push({ startedAtMs, endedAtMs: clock.monotonicMs(), ok: found === value });
      if (found !== undefined && found !== value) this.seen.staleReads += 1;
    } else {
      operations.push({ startedAtMs, endedAtMs: clock.monotonicMs(), ok: false });
      const consume = this.#unconsumed.get(key);
      if (consume) consume.endedMs = clock.monotonicMs();
    }
    await reading;
  }

  #expect(key: string, dueMs: number): void {
    const consume: TimedOperation = { dueMs, ok: false };
    this.seen.consumes.push(consume);
    this.#unconsumed.set(key, consume);
  }

  /** Also of a write that has failed: the log had it nevertheless. */
  #consumed(key: string): void {
    const consume = this.#unconsumed.get(key);
    if (!consume) return;
    consume.ok = true;
    consume.endedMs = this.#dependencies.clock.monotonicMs();
    this.#unconsumed.delete(key);
  }

  async #timed<T>(into: TimedOperation[], dueMs: number, act: Promise<T>, isOk: (result: T) => boolean): Promise<T> {
    const operation: TimedOperation = { dueMs, ok: false };
    into.push(operation);
    const result = await act;
    operation.ok = isOk(result);
    operation.endedMs = this.#dependencies.clock.monotonicMs();
    return result;
  }

  /**
   * The keys must live on the nodes that the fault hits; elsewhere the probe would measure nothing. PROBE_READY says that
   * they do, and what the checks were that must hold before: the injection waits for it. What must come true after the fault
   * has to be known before it too.
   */
  async #prove(stop: AbortSignal): Promise<void> {
    const { audit, clock } = this.#dependencies;
    const deadlineMs = clock.monotonicMs() + PROBE_PROOF_DEADLINE_MS + (this.#hasChecks ? PROBE_BASELINE_MS : 0);
    while (!stop.aborted && clock.monotonicMs() < deadlineMs) {
      const [first] = this.seen.acknowledged;
      if (first && (await this.shard.store.isOnImpacted(first[0], first[1].value).catch(() => false))) {
        this.seen.provenAtMs = clock.monotonicMs();
        const checks = await this.#readBefore(stop);
        const ready = { ...this.name, ...(checks.length > 0 ? { checks } : {}) };
        await audit.append(this.#experimentId, 'PROBE_READY', ACTOR, ready).catch((error: unknown) => {
          this.#problem(`PROBE_READY not written: ${error}`);
        });
        break;
      }
      await clock.sleep(POLL_INTERVAL_MS);
    }
    this.isDoneProving = true;
  }

  /**
   * Over the window that ends with the second that is now, not before the first one that is whole: a client's first second is its
   * own affair, its connections are new and its code was never run. What is not known then may be known a little later.
   */
  async #readBefore(stop: AbortSignal): Promise<CheckReading[]> {
    const { clock } = this.#dependencies;
    if (!this.#hasChecks) return [];
    const first = (firstWindowSecond(this.view()) ?? Number.NaN) + WARM_UP_SECONDS;
    const fromSecond = Math.max(first, Math.floor(clock.nowEpochMs() / 1000));
    for (let second = fromSecond; ; second++) {
      await clock.sleep(Math.max(1, Math.ceil((second + 1) * 1000 - clock.nowEpochMs())));
      const readings = readBefore(this.#before, second, this.view());
      const isKnown = readings.every(({ value }) => value !== undefined);
      if (isKnown || stop.aborted || second >= fromSecond + MAX_LATER_SECONDS) return readings;
    }
  }

  async #watchLeader(stop: AbortSignal): Promise<void> {
    const { audit, clock } = this.#dependencies;
    const { shard, leader } = this.shard.store;
    let known: string | undefined;
    while (!stop.aborted) {
      const current = await leader().catch(() => undefined);
      if (current !== undefined && known !== undefined && current !== known) {
        const promotion = { shard, from: known, to: current, at: new Date(clock.nowEpochMs()).toISOString() };
        this.seen.promotion ??= promotion;
        await audit.append(this.#experimentId, 'PROMOTION_OBSERVED', ACTOR, promotion).catch((error: unknown) => {
          this.#problem(`PROMOTION_OBSERVED not written: ${error}`);
        });
      }
      known = current ?? known;
      await clock.sleep(POLL_INTERVAL_MS);
    }
  }

  /** In each second once: a look that took longer is the only one of its seconds. */
  async #watchHealth(stop: AbortSignal): Promise<void> {
    const { clock } = this.#dependencies;
    for (let second = Math.floor(clock.nowEpochMs() / 1000); !stop.aborted; ) {
      const atMs = clock.monotonicMs();
      this.seen.health.push({ second, atMs, values: await this.shard.store.health() });
      second = Math.max(second + 1, Math.ceil(clock.nowEpochMs() / 1000));
      await clock.sleep(Math.max(0, second * 1000 - clock.nowEpochMs()));
    }
  }

  async #readBack<T>(read: () => Promise<T>): Promise<T> {
    const { clock } = this.#dependencies;
    const deadlineMs = clock.monotonicMs() + READ_BACK_DEADLINE_MS;
    for (;;) {
      try {
        return await read();
      } catch (error) {
        if (clock.monotonicMs() >= deadlineMs) throw error;
        await clock.sleep(POLL_INTERVAL_MS);
      }
    }
  }

  #problem(error: unknown): void {
    this.seen.problems.push(error instanceof Error ? error.message : String(error));
  }
}
