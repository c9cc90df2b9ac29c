import { afterLook, type BystanderLook, type Bystanders, cascadeOf } from '../domain/cascade.ts';
import type { Clock } from '../domain/clock.ts';
import { evaluate, type NamedCluster } from '../domain/guardrails.ts';
import type { KillSwitchSettings } from '../domain/kill-switch.ts';
import { log } from '../runtime/log.ts';
import type { Locks } from '../tables/locks.ts';
import type { Telemetry } from '../telemetry/prometheus.ts';
import { readTelemetry } from '../telemetry/snapshot.ts';

const EVERY_MS = 2000;
/** What traffic they should have nobody knows: there is never too little. */
const NO_BASELINE = { liveGateways: 0, requestsPerSecond: 0 };

/** A cluster of the configuration that the experiment of this guard does not touch. */
export interface Bystander extends NamedCluster {
  telemetry: Telemetry;
}

export interface BystanderDependencies {
  settings: NonNullable<KillSwitchSettings['cascade']>;
  bystanders: readonly Bystander[];
  locks: Pick<Locks, 'list'>;
  /** Engages the switch of all. Called again after the next look while it fails. */
  engage(reason: string): Promise<unknown>;
  clock: Clock;
}

/**
 * Reads the guardrails of the clusters that no experiment touches, every 2 s and never twice at once, in a loop of its
 * own: no beat waits for it. When they break, it engages the kill switch, which this guard and every other then sees.
 */
export class BystanderWatch {
  readonly #dependencies: BystanderDependencies;
  readonly #stopped = new AbortController();
  #seen: Bystanders = new Map();
  #engaging: Promise<unknown> | undefined;

  constructor(dependencies: BystanderDependencies) {
    this.#dependencies = dependencies;
  }

  start(): void {
    void this.#goOn();
  }

  /** Resolves when a switch that is being engaged is, or could not be: a Lambda that has ended does nothing any more. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#engaging?.catch(() => undefined);
  }

  async #goOn(): Promise<void> {
    const { clock } = this.#dependencies;
    while (!this.#stopped.signal.aborted) {
      const startedMs = clock.monotonicMs();
      try {
        if (await this.#look()) return;
      } catch (error) {
        log.warn('bystanders not seen', { error: String(error) });
      }
      const untilNextMs = Math.max(0, startedMs + EVERY_MS - clock.monotonicMs());
      await clock.sleep(untilNextMs, this.#stopped.signal).catch(() => undefined);
    }
  }

  /** @returns true when the switch was engaged: there is nothing more to look for. */
  async #look(): Promise<boolean> {
    const { settings, bystanders, locks, engage, clock } = this.#dependencies;
    // Locks first: a cluster that is taken while its guardrails are read was not touched yet.
    const held = new Set((await locks.list()).map(({ cluster }) => cluster));
    const looks = bystanders.map(async ({ name, cluster, telemetry }): Promise<BystanderLook> => {
      if (held.has(name)) return { cluster: name, underExperiment: true, readings: [] };
      const readings = evaluate({ name, cluster }, await readTelemetry(telemetry, cluster), NO_BASELINE);
      return { cluster: name, underExperiment: false, readings };
    });
    const atMs = clock.monotonicMs();
    const before = this.#seen;
    this.#seen = afterLook(before, await Promise.all(looks), atMs);
    for (const [cluster, { countsNot }] of this.#seen) {
      if (countsNot === undefined || before.get(cluster)?.countsNot !== undefined) continue;
      log.warn('a cluster does not count for a cascade in this run', { cluster, why: countsNot });
    }
    // Whoever stopped it does not want its last word.
    const reason = this.#stopped.signal.aborted ? undefined : cascadeOf(this.#seen, settings);
    if (reason === undefined) return false;
    this.#engaging = engage(reason);
    await this.#engaging;
    return true;
  }
}
