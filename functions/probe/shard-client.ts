import type { Clock } from '../domain/clock.ts';
import type { Operation } from '../domain/rto.ts';
import { PROBE_PROOF_DEADLINE_MS } from '../domain/timing.ts';
import type { ProbeMeasurement } from '../domain/workflow.ts';
import type { StoreProbe } from '../engines/engine.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import { checkLoss } from './loss-checker.ts';

export const ACTOR = { function: 'probe' };
/** 20 operations a second: an outage is measured to 50 ms. */
const WRITE_INTERVAL_MS = 50;
export const POLL_INTERVAL_MS = 500;
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

/** What a client of one shard has seen so far. Times are monotonic. */
export interface Observed {
  operations: Operation[];
  /** The start of each operation by both clocks: a machine that is paused may stop one of them, and never both. */
  starts: { monotonicMs: number; epochMs: number }[];
  acknowledged: Map<string, string>;
  keys: string[];
  promotion?: NonNullable<ProbeMeasurement['promotion']>;
  /** When the impacted nodes were seen to have an acknowledged write; absent: never. */
  provenAtMs?: number;
  lostAcknowledgedWrites?: number;
  problems: string[];
}

/** An honest client of one shard: it writes all the time, and accounts for every acknowledged write at the end. */
export class ShardClient {
  readonly shard: ShardToProbe;
  readonly seen: Observed = { operations: [], starts: [], acknowledged: new Map(), keys: [], problems: [] };
  readonly #experimentId: string;
  readonly #dependencies: ClientDependencies;

  constructor(experimentId: string, shard: ShardToProbe, dependencies: ClientDependencies) {
    this.#experimentId = experimentId;
    this.shard = shard;
    this.#dependencies = dependencies;
  }

  get name() {
    const { cluster, store } = this.shard;
    return { cluster, shard: store.shard, invocation: this.#dependencies.invocation };
  }

  /** Never rejects: what could not be done is a problem of the measurement. */
  async observe(stop: AbortSignal): Promise<void> {
    try {
      await this.shard.store.connect();
      await Promise.all([this.#write(stop), this.#prove(stop), this.#watchLeader(stop)]);
    } catch (error) {
      this.#problem(error);
    }
  }

  /** Reads back every acknowledged write. Never rejects: then nobody knows what was lost. */
  async account(): Promise<void> {
    const { acknowledged } = this.seen;
    try {
      const found = await this.#readBack([...acknowledged.keys()]);
      this.seen.lostAcknowledgedWrites = checkLoss(acknowledged, found).lost.length;
    } catch (error) {
      this.#problem(error);
    }
  }

  /** How long ago the last of the latest failures began; `Infinity` when none did. */
  sinceFailureMs(): number {
    const failures = this.seen.operations.filter(({ ok }) => !ok).slice(-100);
    return this.#dependencies.clock.monotonicMs() - Math.max(...failures.map(({ startedAtMs }) => startedAtMs));
  }

  /** An open loop: a slow answer does not keep the next write from being sent. */
  async #write(stop: AbortSignal): Promise<void> {
    const { clock, invocation } = this.#dependencies;
    const { store } = this.shard;
    const running = new Set<Promise<void>>();
    for (let number = 1; !stop.aborted; number++) {
      const key = `holdfast:probe:${this.#experimentId}:${store.shard}:${invocation}:${number}`;
      this.seen.keys.push(key);
      this.seen.starts.push({ monotonicMs: clock.monotonicMs(), epochMs: clock.nowEpochMs() });
      const operation = this.#writeOnce(key, `${invocation}:${number}`).finally(() => running.delete(operation));
      running.add(operation);
      await clock.sleep(WRITE_INTERVAL_MS);
    }
    await Promise.all(running);
  }

  async #writeOnce(key: string, value: string): Promise<void> {
    const { clock } = this.#dependencies;
    const startedAtMs = clock.monotonicMs();
    const { acknowledged, ok } = await this.shard.store.write(key, value);
    this.seen.operations.push({ startedAtMs, endedAtMs: clock.monotonicMs(), ok });
    if (acknowledged) this.seen.acknowledged.set(key, value);
  }

  /**
   * The keys must live on the nodes that the fault hits; elsewhere the probe would measure nothing. PROBE_READY says that
   * they do: the injection waits for it.
   */
  async #prove(stop: AbortSignal): Promise<void> {
    const { audit, clock } = this.#dependencies;
    const deadlineMs = clock.monotonicMs() + PROBE_PROOF_DEADLINE_MS;
    while (!stop.aborted && clock.monotonicMs() < deadlineMs) {
      const [first] = this.seen.acknowledged;
      if (first && (await this.shard.store.isOnImpacted(...first).catch(() => false))) {
        this.seen.provenAtMs = clock.monotonicMs();
        await audit.append(this.#experimentId, 'PROBE_READY', ACTOR, this.name).catch((error: unknown) => {
          this.#problem(`PROBE_READY not written: ${error}`);
        });
        return;
      }
      await clock.sleep(POLL_INTERVAL_MS);
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

  async #readBack(keys: readonly string[]): Promise<Map<string, string | null>> {
    const { clock } = this.#dependencies;
    const deadlineMs = clock.monotonicMs() + READ_BACK_DEADLINE_MS;
    for (;;) {
      try {
        return await this.shard.store.readAll(keys);
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
