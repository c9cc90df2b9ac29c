import type { FailoverNews } from '../../domain/recovery-phases.ts';
import { fencedReplicas, type PartitionView } from './partition-view.ts';

/** A look at a partition. Milliseconds of one monotonic clock. */
export interface Look extends PartitionView {
  /** Node that was asked. */
  by: string;
  askedMs: number;
  heardMs: number;
}

/** What looks at a partition say of a failover, one after the other. */
export class Leadership {
  /** Other leaders that partitions of the topic were given since the first look. */
  changes = 0;
  /** Of each partition the last one that led it. */
  readonly #leaders = new Map<number, { leader: number; epoch: number; hasLeft: boolean }>();
  #last: Look | undefined;
  #leader: number | undefined;
  readonly #nameOf: (broker: number) => string;

  constructor(nameOf: (broker: number) => string) {
    this.#nameOf = nameOf;
  }

  /** A look that knows less than an earlier one, as of a broker that lags behind, says nothing. */
  news(look: Look): FailoverNews[] {
    this.#count(look);
    const before = this.#last;
    if (before && look.leaderEpoch < before.leaderEpoch) return [];
    this.#last = look;
    const former = this.#leader;
    this.#leader = look.leader ?? former;
    if (!before) return [];
    const at = (what: FailoverNews['what'], words: string): FailoverNews => ({
      ...{ what, text: `metadata of ${look.by}: ${words}` },
      uncertaintyMs: look.heardMs - before.askedMs,
    });
    const fenced = fencedReplicas(look).filter((id) => !fencedReplicas(before).includes(id));
    const isElected =
      look.leader !== undefined &&
      look.leaderEpoch > before.leaderEpoch &&
      (look.leader !== former || before.leader === undefined);
    const elected = `${this.#nameOf(look.leader ?? -1)} leads in epoch ${look.leaderEpoch}, was ${this.#nameOf(former ?? -1)}`;
    return [
      ...fenced.map((id) => at('DETECTED', `${this.#nameOf(id)} is fenced, its session with the controller is over`)),
      ...(isElected ? [at('ELECTED', elected)] : []),
    ];
  }

  #count({ leaders }: Look): void {
    for (const { partition, leader, epoch } of leaders) {
      const known = this.#leaders.get(partition);
      if (known && epoch <= known.epoch) continue;
      if (leader < 0) {
        if (known) known.hasLeft = true;
        continue;
      }
      if (known && (known.hasLeft || known.leader !== leader)) this.changes += 1;
      this.#leaders.set(partition, { leader, epoch, hasLeft: false });
    }
  }
}
