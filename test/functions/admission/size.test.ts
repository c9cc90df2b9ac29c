import { expect, it } from 'vitest';
import { admit } from '../../../functions/admission/admit.ts';
import type { AdmissionPorts } from '../../../functions/admission/ports.ts';
import type { Fault } from '../../../functions/domain/experiment.ts';
import type { Reading } from '../../../functions/domain/workflow.ts';
import { configuration, fakeClock, seedExperiment } from '../domain/fixtures.ts';

const LIVE_NODES = 300;
const nodes = Array.from({ length: LIVE_NODES }, (_, index) => ({
  name: `redis-node-${index}`,
  instanceId: `i-${index}`,
  addresses: [`10.0.${index >> 7}.${index & 127}`],
  availabilityZone: 'eu-west-1a',
  subnetId: 'subnet-a',
  dataVolumeIds: [],
}));
const shards = Array.from({ length: LIVE_NODES / 3 }, (_, index) => ({
  name: `shard-${index}`,
  master: `redis-node-${3 * index}`,
  replicas: [`redis-node-${3 * index + 1}`, `redis-node-${3 * index + 2}`],
  healthy: true,
  problems: [],
}));
const reading = (guardrail: string): Reading => ({
  ...{ guardrail, cluster: 'redis-master', value: 0.1, limit: 200, breachWhen: 'above', unit: '%' },
  ...{ ageSeconds: 0.5, maxAgeSeconds: 3, breached: false },
});
const ports: AdmissionPorts = {
  killSwitchEngaged: async () => false,
  lockHolder: async () => undefined,
  listLiveNodes: async () => nodes,
  readTopology: async () => ({ shards, advertisedAddresses: {}, problems: [] }),
  readGuardrails: async () => ['errorRatePct', 'p99WriteLatencyMs', 'freeWorkersPct'].map(reading),
  readTrafficShare: async () => 0.003,
  exemptAddresses: async () => ['10.1.1.1'],
  readAlarmStates: async (names) => new Map(names.map((name) => [name, 'OK'])),
  instanceStoreOf: async () => [],
  activeFisExperiments: async () => 0,
  interfacesIn: async () => [],
};

/** One replica of each of 30 shards loses packets to everybody, `count` times over. */
async function admissionOf(count: number) {
  const targetNodes = Array.from({ length: 30 }, (_, index) => `redis-node-${3 * index + 1}`);
  const faults = Array.from(
    { length: count },
    (_, index): Fault => ({
      faultId: `exp.${index + 1}`,
      name: `${index + 1}`,
      kind: 'NETWORK_LOSS',
      cluster: 'redis-master',
      startSeconds: 0,
      impactedNodes: targetNodes,
      parameters: { kind: 'NETWORK_LOSS', targetNodes, packetLossPct: 20, correlationPct: 0 },
    }),
  );
  return admit({ ...seedExperiment('exp'), faults }, configuration(), ports, fakeClock(), 'Holdfast-Test-');
}

it('refuses to start what could not be recorded or carried to its way back, and says how much it is', async () => {
  expect(await admissionOf(1)).toMatchObject({ admitted: true });
  expect(await admissionOf(10)).toMatchObject({
    admitted: false,
    problem: { type: 'urn:holdfast:problem:experiment-too-large', bytes: expect.any(Number), maxBytes: 150_000 },
  });
});
