import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Configuration, parseConfiguration } from '../../functions/experiment/configuration.ts';
import { FAULT_KINDS } from '../../functions/experiment/faults.ts';
import { parseExperiment } from '../../functions/experiment/parse-experiment.ts';
import { nodeCommands } from '../../functions/fault/node-command.ts';
import { resolveTargets } from '../../functions/target/resolve-targets.ts';
import { FAULT_PARAMETERS, KIND_PARAMETERS } from '../../lib/document-parameters.ts';
import { configuration as fixture, seedPayload } from '../functions/experiment/fixtures.ts';

/** Mostly what a person would write, with the characters that are allowed somewhere else. */
const odd = fc.string({ unit: fc.constantFrom(...'aZ09._-@/ :\n'), maxLength: 12 });
const oneOf = (other: fc.Arbitrary<string>, ...usual: string[]) =>
  fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...usual) }, { weight: 1, arbitrary: other });
const number = (max: number) =>
  fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 1, max }) },
    { weight: 1, arbitrary: fc.integer({ min: -1, max: 2 * max }) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 20 * max }).map((tenths) => tenths / 10) },
  );
const cluster = fc.record(
  {
    unit: oneOf(odd, 'redis-server', 'redis@6379', 'redis.service'),
    hostCredentialsFile: oneOf(
      odd.map((path) => `/${path}`),
      '/etc/holdfast/store.json',
    ),
    port: number(65_535),
  },
  { requiredKeys: [] },
);
const request = fc.record({
  experimentId: oneOf(odd, 'exp_1'),
  action: fc.constantFrom(...FAULT_KINDS),
  durationSeconds: number(600),
  loss: number(100),
  scope: fc.constantFrom('isolate', 'peers'),
  signal: fc.constantFrom('KILL', 'TERM'),
  restart: fc.constantFrom('rollback', 'supervisor'),
  leaseGraceSeconds: fc.integer({ min: 1, max: 31 }),
});

const names = ['redis-node-1', 'redis-node-2', 'redis-node-3'];
const nodes = names.map((name, index) => ({
  name,
  instanceId: `i-${index}`,
  addresses: [`10.0.0.${index}`, `fd00::${index}`],
}));
const shard = { name: 'shard-1', master: 'redis-node-3', replicas: names.slice(0, 2), healthy: true, problems: [] };
const topology = { shards: [shard], advertisedAddresses: {}, problems: [] };

function configured(change: object, leaseGraceSeconds: number): Configuration | undefined {
  const base = fixture();
  try {
    const clusters = { 'redis-master': { ...base.clusters['redis-master'], ...change } };
    return parseConfiguration({ ...base, clusters, leaseGraceSeconds });
  } catch {
    return undefined;
  }
}

describe('what request and configuration accept', () => {
  it('matches the patterns of the documents, so that nothing fails for its form on the way to a host', () => {
    let accepted = 0;
    const property = fc.property(cluster, request, (change, wanted) => {
      const { action, experimentId, durationSeconds, loss, scope, signal, restart, leaseGraceSeconds } = wanted;
      const configuration = configured(change, leaseGraceSeconds);
      const own = {
        NETWORK_PARTITION: { ...seedPayload().parameters, packetLossPct: loss, scope },
        PROCESS_KILL: { targetNodes: ['redis-node-3'], signal, restart },
        PROCESS_PAUSE: { targetNodes: ['redis-node-3'] },
      };
      const body = { ...seedPayload(), experimentId, action, durationSeconds, parameters: own[action] };
      const parsed = parseExperiment(JSON.stringify(body), {});
      const target = configuration?.clusters['redis-master'];
      if (!configuration || !target || !parsed.ok) return;
      accepted += 1;
      const { experiment } = parsed;
      const targets = resolveTargets(experiment.faults, nodes, topology, ['10.0.9.9', 'fd00::99']);
      const patterns = { ...FAULT_PARAMETERS, ...KIND_PARAMETERS[action] };
      for (const { parameters } of nodeCommands({ experiment, targets, cluster: target, leaseGraceSeconds })) {
        expect(Object.keys(parameters).sort()).toEqual(Object.keys(patterns).sort());
        for (const [name, value] of Object.entries(parameters)) {
          expect(value, name).toMatch(new RegExp(patterns[name]?.pattern ?? '(?!)'));
        }
      }
    });
    fc.assert(property, { numRuns: 3_000 });
    expect(accepted).toBeGreaterThan(300);
  });
});
