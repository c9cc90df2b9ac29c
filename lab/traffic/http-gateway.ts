import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type BulkheadPolicy, BulkheadRejectedError, bulkhead } from 'cockatiel';
import { type ShardStore, StoreTimeout } from '../fleet/engine.ts';
import { isOn } from '../shared/switches.ts';
import { type CountedNodes, createMetrics, type ResultCode } from './gateway-metrics.ts';

export interface GatewayOptions {
  name: string;
  shards: ReadonlyMap<string, ShardStore>;
  /** Those by which what they took is counted. */
  nodes?: CountedNodes;
  /** Requests served at once, over all shards. */
  maxWorkers: number;
  /** Requests served at once for one shard. */
  maxWorkersOf(shard: string): number;
}

/**
 * Sizes for 500 requests a second and gateway. A quarter of the workers is all that one dead shard can hold, far from
 * the 15 % free at which the guard aborts; 48 are what a busy shard gets in 290 ms, so that a hiccup of a machine with
 * two cores queues up in the socket and not as rejections.
 */
export const MAX_WORKERS = 192;
const MAX_WORKERS_PER_SHARD = 48;

/**
 * What LAB_GATEWAY_BULKHEAD says: `off` leaves all workers to whoever takes them.
 *
 * @param lanes those that are to have another number than a busy shard
 * @throws Error naming what it may say
 */
export function workersPerShard(
  bulkhead: string | undefined,
  lanes: readonly { name: string; workers?: number }[],
): GatewayOptions['maxWorkersOf'] {
  if (!isOn('LAB_GATEWAY_BULKHEAD', bulkhead)) return () => MAX_WORKERS;
  const own = new Map(lanes.map(({ name, workers }) => [name, workers]));
  return (shard) => own.get(shard) ?? MAX_WORKERS_PER_SHARD;
}

interface Answer {
  code: ResultCode | '400' | '404';
  body: string;
}

/**
 * The application in front of the stores: `POST /write?shard=&key=[&value=]`, `GET /read?shard=&key=` (of some shards
 * nobody reads), `GET /metrics`, `GET /healthz`. Every request takes a slot of its shard's bulkhead, then a worker; a
 * full one answers 503 at once. A store error is 503, an answer that did not come in time 504.
 */
export function createGateway(options: GatewayOptions): Server {
  const workers = bulkhead(options.maxWorkers);
  const lanes = new Map<string, { store: ShardStore; bulkhead: BulkheadPolicy }>();
  for (const [shard, store] of options.shards) {
    lanes.set(shard, { store, bulkhead: bulkhead(options.maxWorkersOf(shard)) });
  }
  const { nodes = { producedTo: [], coordinating: [] }, maxWorkers } = options;
  const series = { shards: [...options.shards.keys()], nodes, maxWorkers };
  const metrics = createMetrics(series, () => workers.executionSlots);

  async function serve(write: boolean, parameters: URLSearchParams): Promise<Answer & { shard: string }> {
    const key = parameters.get('key');
    const lane = lanes.get(parameters.get('shard') ?? '');
    const shard = lane ? (parameters.get('shard') ?? '') : 'unknown';
    if (!lane) return { code: '404', body: `shard: one of ${[...lanes.keys()].join(', ')}`, shard };
    if (!key) return { code: '400', body: 'key: must not be empty', shard };
    const { store } = lane;
    const read = store.get?.bind(store);
    if (!write && !read) return { code: '400', body: `shard: ${shard} is only written to, with POST /write`, shard };
    const arrivedAtMs = performance.now();
    try {
      const value = await lane.bulkhead.execute(() =>
        workers.execute(async () => {
          try {
            if (!write) return await read?.(key);
            const node = await store.set(key, parameters.get('value') ?? key);
            if (node !== undefined) metrics.countTaken(node);
            return 'OK';
          } finally {
            const seconds = (performance.now() - arrivedAtMs) / 1000;
            if (write) metrics.observeWrite(seconds);
            metrics.observeShard(shard, write ? 'write' : 'read', seconds);
          }
        }),
      );
      return { code: '200', body: value ?? '', shard };
    } catch (error) {
      return { ...failure(error), shard };
    }
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path, query = ''] = (request.url ?? '/').split('?', 2);
    request.resume();
    const route = `${request.method} ${path}`;
    if (route === 'GET /metrics') {
      response.setHeader('content-type', metrics.registry.contentType);
      response.end(await metrics.registry.metrics());
    } else if (route === 'GET /healthz') {
      response.end(`${options.name} ok\n`);
    } else if (route === 'POST /write' || route === 'GET /read') {
      const { code, body, shard } = await serve(route === 'POST /write', new URLSearchParams(query));
      metrics.countRequest(code, shard);
      response.writeHead(Number(code), { 'content-length': Buffer.byteLength(body) });
      response.end(body);
    } else {
      response.writeHead(404).end('POST /write, GET /read, GET /metrics or GET /healthz\n');
    }
  }

  return createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
}

function failure(error: unknown): Answer {
  if (error instanceof BulkheadRejectedError) return { code: '503', body: 'no free worker\n' };
  if (error instanceof StoreTimeout) return { code: '504', body: 'the store did not answer in time\n' };
  return { code: '503', body: `store: ${error instanceof Error ? error.message : String(error)}\n` };
}
