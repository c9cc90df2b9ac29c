import type { Clock } from '../domain/clock.ts';
import { cut, MAX_REASON_CHARACTERS } from '../domain/limits.ts';
import { STORE_LOOK } from '../domain/timing.ts';
import type { StoreTopology } from '../domain/topology.ts';
import { withDeadline } from '../domain/with-deadline.ts';
import type { Reading } from '../domain/workflow.ts';
import type { Engine, LossRefusal } from '../engines/engine.ts';

/** The name of its reading, beside those of the guardrails. */
const STORE_GUARDRAIL = 'storeRedundancy';

/** What the gate asks of one cluster. */
export interface GatedStore {
  cluster: string;
  readTopology(): Promise<StoreTopology>;
  /** Why the faults have to end, by what the store says of itself now; undefined: they need not. */
  refuse(topology: StoreTopology): LossRefusal | undefined;
}

/** A look at which the store refused. */
interface RefusedLook {
  askedMs: number;
  forSeconds: number;
}

/**
 * The gate of a cluster of this engine, with its store opened.
 * @param open with the store's credentials, which only a store that is asked is sent
 * @returns undefined for an engine that only its guardrails can end: nothing is opened
 */
export async function openGate(
  { refuseDuring }: Pick<Engine, 'refuseDuring'>,
  cluster: string,
  impacted: readonly string[],
  open: () => Promise<Pick<GatedStore, 'readTopology'>>,
  clock: Clock,
): Promise<StoreGate | undefined> {
  if (!refuseDuring) return undefined;
  const { readTopology } = await open();
  return new StoreGate({ cluster, readTopology, refuse: (topology) => refuseDuring(topology, impacted) }, clock);
}

/**
 * Asks a store again and again whether the fault on it may go on, in a loop of its own: no beat waits for it. The newest
 * answer is held, and is as old as its question.
 */
export class StoreGate {
  readonly #store: GatedStore;
  readonly #clock: Clock;
  readonly #stopped = new AbortController();
  #answer: { askedMs: number; refusal: LossRefusal | undefined } | undefined;
  /** Since a look at which it did not refuse; one without an answer says neither. */
  #refused: RefusedLook[] = [];
  /** Why the last look had no answer. */
  #failure: string | undefined;

  constructor(store: GatedStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Resolves after the first look, with an answer or without, or when its answer would be too old; then it goes on until `stop`. */
  async start(): Promise<void> {
    const askedMs = this.#clock.monotonicMs();
    const first = this.#look(askedMs);
    void this.#goOn(first, askedMs);
    await withDeadline(first, this.#clock, STORE_LOOK.maxAgeSeconds * 1000).catch(() => undefined);
  }

  stop(): void {
    this.#stopped.abort();
  }

  /** Of an answer that is missing or too old: a breach. */
  reading(): Reading {
    const { maxAgeSeconds } = STORE_LOOK;
    const about = { guardrail: STORE_GUARDRAIL, cluster: this.#store.cluster, unit: 'refusals' };
    const limits = { ...about, limit: 0, breachWhen: 'above', maxAgeSeconds } as const;
    const failure = this.#failure === undefined ? '' : `: ${this.#failure}`;
    if (!this.#answer) return { ...limits, breached: true, reason: `the store has not answered${failure}` };
    const { askedMs, refusal } = this.#answer;
    const ageSeconds = (this.#clock.monotonicMs() - askedMs) / 1000;
    const seen = { ...limits, value: refusal ? 1 : 0, ageSeconds };
    if (refusal) return { ...seen, breached: true, reason: cut(refusal.detail, MAX_REASON_CHARACTERS) };
    if (ageSeconds <= maxAgeSeconds) return { ...seen, breached: false };
    const reason = `the store answered last what it was asked ${ageSeconds.toFixed(1)} s ago, at most ${maxAgeSeconds} s${failure}`;
    return { ...seen, breached: true, reason };
  }

  async #goOn(first: Promise<void>, firstAskedMs: number): Promise<void> {
    let [look, askedMs] = [first, firstAskedMs];
    for (;;) {
      // Never two at once: one that hangs keeps the next from beginning, and the age of the answer ends the fault.
      await look;
      const untilNextMs = askedMs + STORE_LOOK.everyMs - this.#clock.monotonicMs();
      await this.#clock.sleep(Math.max(0, untilNextMs), this.#stopped.signal).catch(() => undefined);
      if (this.#stopped.signal.aborted) return;
      askedMs = this.#clock.monotonicMs();
      look = this.#look(askedMs);
    }
  }

  /** Never rejects. */
  async #look(askedMs: number): Promise<void> {
    try {
      const topology = await this.#store.readTopology();
      // Where nobody tells of a shard, nobody says that nothing is lost.
      if (topology.shards.length === 0) throw new Error(topology.problems.join('; ') || 'no shard is known');
      const refusal = this.#store.refuse(topology);
      this.#refused = refusal ? [...this.#refused, { askedMs, forSeconds: refusal.forSeconds ?? 0 }] : [];
      this.#answer = { askedMs, refusal: refusal && heldLongEnough(this.#refused) ? refusal : undefined };
      this.#failure = undefined;
    } catch (error) {
      this.#failure = cut(error instanceof Error ? error.message : String(error), MAX_REASON_CHARACTERS);
    }
  }
}

/**
 * Whether the last refusal counts: for its `forSeconds` the store refused at every look, and never for a reason that may
 * last longer. Another reason as serious does not begin anew: two brokers that are silent by turns are not well.
 */
function heldLongEnough(refused: readonly RefusedLook[]): boolean {
  const last = refused.at(-1);
  if (!last) return false;
  const lasting = refused.findLastIndex(({ forSeconds }) => forSeconds > last.forSeconds);
  const since = refused[lasting + 1] ?? last;
  return last.askedMs - since.askedMs >= last.forSeconds * 1000;
}
