import type { TargetNode } from '../../domain/targets.ts';
import { BrokerRefusal, type OpenBroker } from './connection.ts';
import type { Partition } from './partition-source.ts';
import { HEARD_WITHIN_MS } from './quorum.ts';
import { readQuorum } from './read-view.ts';

const ASK_EVERY_MS = 1000;

/**
 * Whether a controller leads the metadata quorum, by the word of a broker that it answers. Over connections of its own: what a
 * broker passes on to a controller that is silent keeps all that comes after it.
 */
export class QuorumWatch {
  readonly #partition: Pick<Partition, 'members' | 'open' | 'clock'>;
  readonly #stopped = new AbortController();
  /** Who answered last. */
  #asked: { node: TargetNode; broker: OpenBroker } | undefined;
  /** When a broker had last heard of one; undefined: none ever had, or nobody can be asked. */
  #heardMs: number | undefined;
  #canAsk = true;

  constructor(partition: Pick<Partition, 'members' | 'open' | 'clock'>) {
    this.#partition = partition;
  }

  /** 1, or 0 when it is as long silent as a voter may not be; undefined when nobody can say. */
  get activeControllers(): number | undefined {
    if (this.#heardMs === undefined || !this.#canAsk) return undefined;
    return this.#partition.clock.monotonicMs() - this.#heardMs <= HEARD_WITHIN_MS ? 1 : 0;
  }

  /**
   * Asks until `close`. Never rejects.
   * @param complain told once, when nobody may be asked
   */
  async run(complain: (problem: string) => void): Promise<void> {
    const { clock } = this.#partition;
    while (!this.#stopped.signal.aborted) {
      try {
        const isLed = await this.#isLed();
        this.#canAsk = isLed !== undefined;
        if (isLed) this.#heardMs = clock.monotonicMs();
      } catch (error) {
        this.#canAsk = false;
        complain(`metadata quorum: ${error instanceof Error ? error.message : String(error)}`);
        return;
      }
      await clock.sleep(ASK_EVERY_MS, this.#stopped.signal).catch(() => undefined);
    }
  }

  close(): void {
    this.#stopped.abort();
    this.#hangUp();
  }

  /**
   * @returns undefined when there was nobody to ask
   * @throws BrokerRefusal when one says that we may not ask
   */
  async #isLed(): Promise<boolean | undefined> {
    const last = this.#asked?.node;
    const others = this.#partition.members.filter((node) => node !== last);
    let hasAsked = false;
    for (const node of last ? [last, ...others] : others) {
      if (this.#stopped.signal.aborted) break;
      try {
        this.#asked = this.#asked?.node === node ? this.#asked : { node, broker: await this.#partition.open(node) };
        hasAsked = true;
        const { leader } = await readQuorum(this.#asked.broker.ask);
        if (leader !== -1) {
          // Closed meanwhile.
          if (this.#stopped.signal.aborted) this.#hangUp();
          return true;
        }
      } catch (error) {
        if (error instanceof BrokerRefusal && error.codes.includes('CLUSTER_AUTHORIZATION_FAILED')) throw error;
      }
      this.#hangUp();
    }
    return hasAsked ? false : undefined;
  }

  #hangUp(): void {
    this.#asked?.broker.hangUp();
    this.#asked = undefined;
  }
}
