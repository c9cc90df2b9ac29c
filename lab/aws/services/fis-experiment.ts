import { setTimeout as delay } from 'node:timers/promises';
import type { RunnableAction } from './fis-actions.ts';
import type { FisTemplate } from './fis-template.ts';

/** Of the AWS API; the last four are final. */
export type FisState =
  | 'pending'
  | 'initiating'
  | 'running'
  | 'completing'
  | 'stopping'
  | 'completed'
  | 'failed'
  | 'stopped'
  | 'cancelled';
const OVER: readonly FisState[] = ['completed', 'failed', 'stopped', 'cancelled'];
const LOOK_AT_ALARMS_MS = 500;

/** The states of which FIS tells EventBridge, by its documentation. */
const TOLD_NEW: readonly FisState[] = ['completed', 'failed', 'initiating', 'running', 'stopped', 'stopping'];
const TOLD_OLD: readonly FisState[] = ['initiating', 'pending', 'running', 'stopping'];

/** A state and what FIS says of it. */
export interface StateWithReason {
  status: FisState;
  reason: string;
}

export interface ExperimentSeam {
  /** Told of each change that FIS tells EventBridge. */
  onChange(now: StateWithReason, before: StateWithReason): void;
  /** Name of a stop condition's alarm that is in ALARM; undefined: none is. */
  firingAlarm(): string | undefined;
  isLeverEngaged(): boolean;
  /** @throws Error why it cannot be run: permissions, targets, or what the lab cannot do. */
  prepare(): Promise<RunnableAction>;
}

/** The life of one experiment: pending → initiating → running → completing → completed, or stopped, failed, cancelled. */
export class FisExperiment {
  readonly id: string;
  readonly templateId: string;
  readonly template: FisTemplate;
  readonly tags: Record<string, string>;
  readonly createdMs = Date.now();
  startedMs: number | undefined;
  endedMs: number | undefined;
  state: FisState = 'pending';
  reason = '';
  /** The last state that an event may name as the old one. */
  #told: StateWithReason = { status: 'pending', reason: '' };
  readonly #seam: ExperimentSeam;
  readonly #stop = new AbortController();

  constructor(
    identity: { id: string; templateId: string; template: FisTemplate; tags: Record<string, string> },
    seam: ExperimentSeam,
  ) {
    this.id = identity.id;
    this.templateId = identity.templateId;
    this.template = identity.template;
    this.tags = identity.tags;
    this.#seam = seam;
  }

  get isOver(): boolean {
    return OVER.includes(this.state);
  }

  /** Stopping is final, and first completes what the action does at its end. */
  stop(reason: string): void {
    if (this.isOver || this.#stop.signal.aborted) return;
    this.#set('stopping', reason);
    this.#stop.abort();
  }

  async run(): Promise<void> {
    if (this.#seam.isLeverEngaged()) return this.#set('cancelled', 'the safety lever is engaged');
    // A start is answered before anything is done.
    await delay(1);
    if (!this.#stop.signal.aborted) this.#set('initiating');
    let action: RunnableAction;
    try {
      this.#stopOnAlarm();
      action = await this.#seam.prepare();
      if (this.#stop.signal.aborted) return this.#set('stopped', this.reason);
      this.startedMs = Date.now();
      const begun = action.begin();
      this.#set('running');
      await begun;
    } catch (error) {
      return this.#set('failed', error instanceof Error ? error.message : String(error));
    }
    if (action.durationMs !== undefined) await this.#last(Date.now() + action.durationMs);
    await this.#finish(action);
  }

  async #last(untilMs: number): Promise<void> {
    while (!this.#stop.signal.aborted && Date.now() < untilMs) {
      this.#stopOnAlarm();
      await delay(Math.min(LOOK_AT_ALARMS_MS, Math.max(0, untilMs - Date.now())), undefined, {
        signal: this.#stop.signal,
      }).catch(() => {});
    }
  }

  async #finish({ end }: RunnableAction): Promise<void> {
    if (!this.#stop.signal.aborted) this.#set('completing');
    try {
      await end?.();
    } catch (error) {
      return this.#set('failed', `at its end: ${String(error)}`);
    }
    if (this.#stop.signal.aborted) this.#set('stopped', this.reason);
    else this.#set('completed', 'Experiment completed.');
  }

  #stopOnAlarm(): void {
    const alarm = this.#seam.firingAlarm();
    if (alarm !== undefined) this.stop(`Experiment halted by stop condition: ${alarm}`);
  }

  #set(state: FisState, reason = ''): void {
    this.state = state;
    this.reason = reason;
    if (this.isOver) this.endedMs = Date.now();
    const now = { status: state, reason };
    if (TOLD_NEW.includes(state) && state !== this.#told.status) this.#seam.onChange(now, this.#told);
    if (TOLD_OLD.includes(state)) this.#told = now;
  }
}
