import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { producedCounter } from './produced-counter.ts';

/** The codes a shard's requests can end with; all exist from the first scrape, so that `rate` sees the first failure. */
export const RESULT_CODES = ['200', '503', '504'] as const;
export type ResultCode = (typeof RESULT_CODES)[number];

/** 0.2 is the guard's limit: with a boundary there, the quantile is exact where it decides. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1];

export interface GatewayMetrics {
  registry: Registry;
  countRequest(code: ResultCode | '400' | '404', shard: string): void;
  observeWrite(seconds: number): void;
  /** As `observeWrite`, by shard, of reads too. */
  observeShard(shard: string, operation: 'read' | 'write', seconds: number): void;
  /** One request more that this node took. */
  countTaken(node: string): void;
}

export interface CountedNodes {
  /** They keep records. */
  producedTo: readonly string[];
  /** They ask others for what they were asked for. */
  coordinating: readonly string[];
}

export interface GatewaySeries {
  shards: readonly string[];
  nodes: CountedNodes;
  maxWorkers: number;
}

/** @param freeWorkers read when Prometheus scrapes, so that the number is never older than the scrape. */
export function createMetrics({ shards, nodes, maxWorkers }: GatewaySeries, freeWorkers: () => number): GatewayMetrics {
  const registry = new Registry();
  const produced = producedCounter(registry, nodes.producedTo);
  const coordinated = new Counter({
    name: 'requests_coordinated_total',
    help: 'Writes, by the node that a client gave them to; any would have taken them.',
    labelNames: ['node'],
    registers: nodes.coordinating.length > 0 ? [registry] : [],
  });
  for (const node of nodes.coordinating) coordinated.inc({ node }, 0);
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'Requests answered, by status code and shard.',
    labelNames: ['code', 'shard'],
    registers: [registry],
  });
  for (const shard of shards) for (const code of RESULT_CODES) requests.inc({ code, shard }, 0);

  const writeDuration = new Histogram({
    name: 'http_write_duration_seconds',
    help: 'Writes handed to a shard, from arrival to answer, failed ones too. Rejected writes are not in it.',
    buckets: BUCKETS,
    registers: [registry],
  });
  const shardDuration = new Histogram({
    name: 'http_shard_duration_seconds',
    help: 'Requests handed to a shard, by operation, from arrival to answer, failed ones too.',
    labelNames: ['shard', 'operation'],
    buckets: BUCKETS,
    registers: [registry],
  });
  new Gauge({
    name: 'gateway_workers_free',
    help: 'Workers that could take a request now.',
    registers: [registry],
    collect() {
      this.set(freeWorkers());
    },
  });
  new Gauge({
    name: 'gateway_workers_max',
    help: 'Size of the worker pool.',
    registers: [registry],
  }).set(maxWorkers);

  return {
    registry,
    countRequest: (code, shard) => requests.inc({ code, shard }),
    observeWrite: (seconds) => writeDuration.observe(seconds),
    observeShard: (shard, operation, seconds) => shardDuration.observe({ shard, operation }, seconds),
    countTaken(node) {
      if (nodes.producedTo.includes(node)) produced.inc({ broker: node });
      if (nodes.coordinating.includes(node)) coordinated.inc({ node });
    },
  };
}
