import { metadataV12 } from '@platformatic/kafka';
import { withDeadline } from '../../domain/with-deadline.ts';
import type { OpenBroker, openBroker } from './connection.ts';
import type { Look } from './leadership.ts';
import type { Partition, PartitionSource } from './partition-source.ts';

const RETRY_MS = 100;
const HELLO_WITHIN_MS = 1000;

/** A connection to whoever led the partition when it was opened. */
export interface LeaderLink extends OpenBroker {
  look: Look;
  /** Who leads, and since when: another one for each time that a leader begins to lead. */
  term: string;
}

/**
 * How a client knows its leader: it keeps it until a request fails, then it asks for metadata and connects anew, until that
 * succeeds. Meanwhile it has none.
 */
export class Leader {
  link: LeaderLink | undefined;
  readonly #partition: Partition;
  readonly #source: PartitionSource;
  readonly #limits: Parameters<typeof openBroker>[1];
  #isClosed = false;

  constructor(partition: Partition, source: PartitionSource, limits?: Parameters<typeof openBroker>[1]) {
    this.#partition = partition;
    this.#source = source;
    this.#limits = limits;
  }

  /** @throws Error when nobody leads it, or the leader cannot be reached */
  async find(): Promise<LeaderLink> {
    const look = await this.#source.ask();
    const node = this.#source.nodeOf(look.leader);
    if (!node) throw new Error(look.leader === undefined ? 'nobody leads it' : 'its leader is not one of its nodes');
    const open = await this.#partition.open(node, this.#limits);
    try {
      // As any client begins: a broker that is paused accepts connections, and would acknowledge when it wakes what it was sent.
      const hello = open.ask(metadataV12.api, [this.#partition.topic], false, false);
      await withDeadline(hello, this.#partition.clock, HELLO_WITHIN_MS);
    } catch (error) {
      open.hangUp();
      throw error;
    }
    const link = { ...open, look, term: termOf(look) };
    if (this.#isClosed) link.hangUp();
    return link;
  }

  /**
   * After a request on this link has failed; another one may have been first.
   * @param hasAnswered the leader itself said no, so that the connection is well: it is kept where metadata name no other
   * @param retire what to do with the link when it is replaced
   */
  async replace(failed: LeaderLink, hasAnswered: boolean, retire: (link: LeaderLink) => void): Promise<void> {
    if (this.link !== failed) return;
    this.link = undefined;
    if (hasAnswered && (await this.#stillLeads(failed))) {
      this.link = failed;
      return;
    }
    retire(failed);
    while (!this.link && !this.#isClosed) {
      try {
        this.link = await this.find();
      } catch {
        await this.#partition.clock.sleep(RETRY_MS);
      }
    }
  }

  async #stillLeads({ isOpen, term }: LeaderLink): Promise<boolean> {
    const look = await this.#source.ask().catch(() => undefined);
    return isOpen() && look !== undefined && termOf(look) === term;
  }

  close(): void {
    this.#isClosed = true;
    this.link?.hangUp();
  }
}

function termOf({ leader, leaderEpoch }: Look): string {
  return `${leader} ${leaderEpoch}`;
}
