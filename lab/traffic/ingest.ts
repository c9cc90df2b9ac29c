import { Registry } from 'prom-client';
import { z } from 'zod';
import { loadBeside, recordClients, recordNodes } from '../fleet/fleet.ts';
import { readStoreKeys } from '../fleet/store-keys.ts';
import { METRICS_PORT } from '../shared/topology.ts';
import { createMetricsServer } from './metrics-server.ts';
import { createOpenLoop } from './open-loop.ts';
import { producedCounter } from './produced-counter.ts';

/** Orders that come past the gateways: an open loop of RATE a second (50, less where there are several engines), over all partitions in turn. */
const environment = z
  .object({ RATE: z.coerce.number().positive().max(2_000).default(loadBeside(50)), LAB_DIRECTORY: z.string().min(1) })
  .parse(process.env);

const TURN_MS = 10;
/** Orders without an answer; more are dropped, or brokers without an answer would eat the memory. */
const MAX_IN_FLIGHT = 3_000;

const orders = await recordClients().connectProducer('orders', readStoreKeys(environment.LAB_DIRECTORY));
const registry = new Registry();
const produced = producedCounter(registry, recordNodes());
createMetricsServer(registry).listen(METRICS_PORT);

const loop = createOpenLoop(environment.RATE, performance.now());
let [next, inFlight] = [0, 0];

async function send(n: number): Promise<void> {
  inFlight += 1;
  try {
    const broker = await orders.produce(n % orders.partitions, [{ key: `ingest:${n}`, value: `${n}` }]);
    if (broker !== undefined) produced.inc({ broker });
  } catch {
    // The brokers' fault, and felt by whoever reads: the gateways count what they refuse, this stream has nobody to tell.
  } finally {
    inFlight -= 1;
  }
}

setInterval(() => {
  for (let due = loop.due(performance.now()); due > 0; due -= 1) if (inFlight < MAX_IN_FLIGHT) void send(next++);
}, TURN_MS);
