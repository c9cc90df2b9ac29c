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
  /** Who answered last. */
  #asked: { node: TargetNode; broker: OpenBroker } | undefined;
  #heardMs: number | undefined;
  #isClosed = false;

  constructor(partition: Pick<Partition, 'members' | 'open' | 'clock'>) {
    this.#partition = partition;
  }

  /** 1, or 0 when it is as long silent as a voter may not be; undefined when none was ever heard of. */
  get activeControllers(): number | undefined {
    if (this.#heardMs === undefined) return undefined;
    return this.#partition.clock.monotonicMs() - this.#heardMs <= HEARD_WITHIN_MS ? 1 : 0;
  }

  /**
   * Asks until `close`. Never rejects.
   * @param complain told once, when nobody may be asked
   */
  async run(complain: (problem: string) => void): Promise<void> {
    const { clock } = this.#partition;
    while (!this.#isClosed) {
      const askedMs = clock.monotonicMs();
      try {
        if (await this.#isLed()) this.#heardMs = clock.monotonicMs();
      } catch (error) {
        complain(`metadata quorum: ${error instanceof Error ? error.message : String(error)}`);
        return;
      }
      await clock.sleep(Math.max(1, ASK_EVERY_MS - (clock.monotonicMs() - askedMs)));
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#hangUp();
  }

  /** @throws BrokerRefusal when one says that we may not ask */
  async #isLed(): Promise<boolean> {
    const last = this.#asked?.node;
    const others = this.#partition.members.filter((node) => node !== last);
    for (const node of last ? [last, ...others] : others) {
      try {
        this.#asked = this.#asked?.node === node ? this.#asked : { node, broker: await this.#partition.open(node) };
        const { leader } = await readQuorum(this.#asked.broker.ask);
        // Closed while it was opened.
        if (this.#isClosed) this.#hangUp();
        if (leader !== -1) return true;
      } catch (error) {
        if (error instanceof BrokerRefusal && error.codes.includes('CLUSTER_AUTHORIZATION_FAILED')) throw error;
      }
      this.#hangUp();
    }
    return false;
  }

  #hangUp(): void {
    this.#asked?.broker.hangUp();
    this.#asked = undefined;
  }
}
