import fc from 'fast-check';
import type { FaultKind } from '../../../functions/domain/faults/catalogue.ts';
import { GIBIBYTE, MAX_BYTES, MEBIBYTE } from '../../../functions/domain/faults/fields.ts';

/** Valid `parameters` of every kind, from one end of what is allowed to the other. */
type Parameters = fc.Arbitrary<Record<string, unknown>>;

export const NODES = ['redis-node-1', 'redis-node-2', 'redis-node-3', 'a', 'Z9._-x'];
const whole = (min: number, max: number) => fc.integer({ min, max });
const optional = { requiredKeys: ['targetNodes' as const] };
const targetNodes = fc.subarray(NODES, { minLength: 1 });
const twoGroups = fc.tuple(fc.shuffledSubarray(NODES, { minLength: 2 }), fc.nat()).map(([names, cut]) => {
  const at = 1 + (cut % (names.length - 1));
  return { targetPartitionGroupA: names.slice(0, at), targetPartitionGroupB: names.slice(at) };
});
/** Targets and, in one of three ways, the other side. */
const targetsAndPeers = fc.oneof(
  fc.record({ targetNodes }),
  fc.record({ targetNodes, toAvailabilityZone: fc.constantFrom('eu-west-1a', 'us-gov-east-1b') }),
  twoGroups.map((groups) => ({ targetNodes: groups.targetPartitionGroupA, toNodes: groups.targetPartitionGroupB })),
);
const merged = (...parts: Parameters[]): Parameters => fc.tuple(...parts).map((all) => Object.assign({}, ...all));
const pct = whole(1, 100);

export const KIND_PARAMETERS: Record<FaultKind, Parameters> = {
  NETWORK_PARTITION: merged(
    twoGroups,
    fc.record({ packetLossPct: pct }),
    fc.record(
      {
        latencyMs: fc.constant(0),
        scope: fc.constantFrom('isolate', 'peers'),
        direction: fc.constantFrom('both', 'in', 'out'),
        ports: fc.uniqueArray(whole(1, 65_535), { minLength: 1, maxLength: 15 }),
      },
      { requiredKeys: [] },
    ),
  ),
  NETWORK_LATENCY: merged(
    targetsAndPeers,
    whole(1, 10_000).chain((latencyMs) =>
      fc.record(
        { latencyMs: fc.constant(latencyMs), jitterMs: whole(1, latencyMs), correlationPct: whole(0, 100) },
        { requiredKeys: ['latencyMs', 'jitterMs'] },
      ),
    ),
  ),
  NETWORK_LOSS: merged(
    targetsAndPeers,
    fc.record({ packetLossPct: pct, correlationPct: whole(0, 100) }, { requiredKeys: ['packetLossPct'] }),
  ),
  PROCESS_KILL: fc.record(
    {
      targetNodes,
      signal: fc.constantFrom('KILL', 'TERM'),
      restart: fc.constantFrom('rollback', 'supervisor'),
    },
    optional,
  ),
  PROCESS_PAUSE: fc.oneof(
    fc.record({ targetNodes, pauseSeconds: whole(1, 600) }, optional),
    whole(1, 599).chain((pauseSeconds) =>
      fc.record({
        targetNodes,
        pauseSeconds: fc.constant(pauseSeconds),
        repeatEverySeconds: whole(pauseSeconds + 1, 600),
      }),
    ),
  ),
  CPU_SPIKE: fc.record({ targetNodes, cores: whole(1, 512), loadPct: pct }, { requiredKeys: ['targetNodes', 'cores'] }),
  MEMORY_PRESSURE: merged(
    fc.record({ targetNodes, reserveBytes: whole(64 * MEBIBYTE, MAX_BYTES) }, optional),
    fc.oneof(fc.record({ memoryBytes: whole(MEBIBYTE, MAX_BYTES) }), fc.record({ memoryPct: whole(1, 95) })),
  ),
  DISK_FULL: merged(
    fc.record({ targetNodes, reserveBytes: whole(0, MAX_BYTES), allowRootVolume: fc.boolean() }, optional),
    fc.oneof(fc.record({ fillBytes: whole(MEBIBYTE, MAX_BYTES) }), fc.record({ fillPct: pct })),
  ),
  DISK_IO: fc.record(
    { targetNodes, workers: whole(1, 16), bytesPerSecond: whole(MEBIBYTE, 4 * GIBIBYTE) },
    { requiredKeys: ['targetNodes', 'bytesPerSecond'] },
  ),
  CLOCK_DRIFT: fc.record({ targetNodes, offsetMs: whole(-240_000, 240_000).filter((offsetMs) => offsetMs !== 0) }),
  INSTANCE_STOP: fc.record({ targetNodes }),
  INSTANCE_REBOOT: fc.record({ targetNodes }),
  VOLUME_PAUSE_IO: fc.record({ targetNodes }),
  VOLUME_LATENCY: fc.record(
    { targetNodes, latencyMs: whole(1, 60_000), readPct: pct, writePct: pct },
    { requiredKeys: ['targetNodes', 'latencyMs'] },
  ),
  AZ_DISCONNECT: fc.record({ targetNodes, availabilityZone: fc.constantFrom('eu-west-1a', 'us-gov-east-1b') }),
};

/** An action and parameters that go with it. */
export function actionOf(kinds: readonly FaultKind[]) {
  return fc
    .constantFrom(...kinds)
    .chain((action) => KIND_PARAMETERS[action].map((parameters) => ({ action, parameters })));
}
