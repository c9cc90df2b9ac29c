import { expect, it } from 'vitest';
import { admit } from '../../../functions/admission/admit.ts';
import { MAX_RUN_BYTES } from '../../../functions/domain/limits.ts';
import { configuration } from '../domain/configuration-fixtures.ts';
import { experimentOf, faultWith } from '../domain/experiment-fixtures.ts';
import { CALLER } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { liveNode, shardOf, topologyOf } from '../domain/target-fixtures.ts';
import { portsOf } from './fixtures.ts';

const LIVE_NODES = 300;
const nodes = Array.from({ length: LIVE_NODES }, (_, index) =>
  liveNode(index, { addresses: [`10.0.${index >> 7}.${index & 127}`] }),
);
const shards = Array.from({ length: LIVE_NODES / 3 }, (_, index) =>
  shardOf(`shard-${index}`, `redis-node-${3 * index}`, `redis-node-${3 * index + 1}`, `redis-node-${3 * index + 2}`),
);
const ports = portsOf({ listLiveNodes: async () => nodes, readTopology: async () => topologyOf(shards) });

/** One replica of each of 30 shards; faults that do not share a resource. */
const targetNodes = Array.from({ length: 30 }, (_, index) => `redis-node-${3 * index + 1}`);
const loss = faultWith({ kind: 'NETWORK_LOSS', targetNodes, packetLossPct: 20, correlationPct: 0 });
const others = [
  faultWith({ kind: 'CPU_SPIKE', targetNodes, cores: 1, loadPct: 50 }, { number: 2 }),
  faultWith({ kind: 'DISK_IO', targetNodes, workers: 1, bytesPerSecond: 2 ** 20 }, { number: 3 }),
  faultWith({ kind: 'CLOCK_DRIFT', targetNodes, offsetMs: 400 }, { number: 4 }),
  faultWith({ kind: 'PROCESS_PAUSE', targetNodes }, { number: 5 }),
  faultWith({ kind: 'MEMORY_PRESSURE', targetNodes, memoryPct: 50, reserveBytes: 2 ** 30 }, { number: 6 }),
  faultWith(
    { kind: 'DISK_FULL', targetNodes, fillPct: 50, reserveBytes: 2 ** 30, allowRootVolume: false },
    { number: 7 },
  ),
];
const admissionOf = (...faults: (typeof loss)[]) =>
  admit(experimentOf(faults), configuration(), ports, new SimulatedClock(), 'Holdfast-Test-', CALLER);

it('refuses to start what could not be recorded or carried to its rollback, and says how much it is', async () => {
  expect(await admissionOf(loss)).toMatchObject({ admitted: true });
  expect(await admissionOf(loss, ...others)).toMatchObject({
    admitted: false,
    problem: {
      type: 'urn:holdfast:problem:experiment-too-large',
      bytes: expect.any(Number),
      maxBytes: MAX_RUN_BYTES,
    },
  });
});
