import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { RESULTS, type Result } from './receipts.ts';

export interface ConsumerMetrics {
  registry: Registry;
  observeLag(seconds: number): void;
  countRecord(result: Result): void;
  rebalancing(): void;
  assigned(generation: number, partitions: number): void;
}

export interface ConsumerState {
  maxWorkers: number;
  freeWorkers(): number;
  isBreakerOpen(): boolean;
}

export interface ConsumerClock {
  nowEpochMs(): number;
  monotonicMs(): number;
}

/** Of one member of the group. All series exist from the first scrape. */
export function createConsumerMetrics(state: ConsumerState, clock: ConsumerClock): ConsumerMetrics {
  const registry = new Registry();
  const gauge = (name: string, help: string, read?: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers: [registry],
      ...(read && {
        collect() {
          this.set(read());
        },
      }),
    });
  const lag = new Histogram({
    name: 'consumer_lag_seconds',
    help: 'From the moment an order was produced to the moment a worker took it.',
    // With boundaries at what experiments ask for: 0.1 and 0.2.
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30],
    registers: [registry],
  });
  const records = new Counter({
    name: 'consumer_records_total',
    help: 'Orders by what came of them.',
    labelNames: ['result'],
    registers: [registry],
  });
  for (const result of RESULTS) records.inc({ result }, 0);
  const rebalances = new Counter({
    name: 'consumer_rebalances_total',
    help: 'Assignments that this member has got, its first one too.',
    registers: [registry],
  });
  gauge('consumer_workers_free', 'Workers that could take an order now.', state.freeWorkers);
  gauge('consumer_workers_max', 'Size of the pool.').set(state.maxWorkers);
  gauge('consumer_breaker_open', '1 while receipts are given up without a try.', () => Number(state.isBreakerOpen()));
  const duration = gauge(
    'consumer_last_rebalance_seconds',
    'From the moment this member heard of its last rebalance to its assignment.',
  );
  const at = gauge('consumer_last_rebalance_timestamp_seconds', 'When its last assignment came.');
  const generation = gauge('consumer_generation', 'Of the group, by its last assignment.');
  const partitions = gauge('consumer_assigned_partitions', 'How many it takes orders from.');

  // A join is one too.
  let heardAtMs: number | undefined = clock.monotonicMs();
  return {
    registry,
    observeLag: (seconds) => lag.observe(seconds),
    countRecord: (result) => records.inc({ result }),
    rebalancing() {
      heardAtMs ??= clock.monotonicMs();
      partitions.set(0);
    },
    assigned(number, count) {
      const nowMs = clock.monotonicMs();
      rebalances.inc();
      duration.set((nowMs - (heardAtMs ?? nowMs)) / 1000);
      at.set(clock.nowEpochMs() / 1000);
      generation.set(number);
      partitions.set(count);
      heardAtMs = undefined;
    },
  };
}
