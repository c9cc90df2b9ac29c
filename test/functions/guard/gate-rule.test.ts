import { describe, expect, it } from 'vitest';
import { gateRule } from '../../../functions/guard/gate-rule.ts';
import { admittedLog, resolvedTargetsOf } from '../domain/admitted-fixtures.ts';
import { redisCluster } from '../domain/configuration-fixtures.ts';
import { experimentOf, faultWith } from '../domain/experiment-fixtures.ts';
import { shardOf, topologyOf } from '../domain/target-fixtures.ts';
import { cassandraCluster } from '../engines/cassandra/fixtures.ts';
import { kafkaCluster } from '../engines/kafka/fixtures.ts';

const NAME = 'redis-master';
const [ONE, TWO, THREE] = ['node-1', 'node-2', 'node-3'];
const experimentWith = (kind: 'PROCESS_PAUSE' | 'INSTANCE_TERMINATE') =>
  experimentOf([faultWith({ kind, targetNodes: [THREE] }, { number: 1, cluster: NAME })]);
const logOf = (toleratedLoss?: string, counts: { impactedNodes: number; liveNodes: number } | object = {}) => {
  const experiment = experimentWith('PROCESS_PAUSE');
  const seen = { cluster: NAME, ...counts, ...(toleratedLoss === undefined ? {} : { toleratedLoss }) };
  return admittedLog({ experiment, targets: resolvedTargetsOf(experiment), seen });
};
const EXCEEDS = 'orders-0 would keep 1 of 3';
const set = (...inSync: string[]) => ({ name: 'orders', members: [ONE, TWO, THREE], inSync, minInSync: 2 });
const topologyWith = (change: Parameters<typeof topologyOf>[1]) =>
  topologyOf([shardOf('shard-1', ONE, TWO, THREE)], { silentNodes: [], ...change });

const REPLICAS = 'min.insync.replicas is 2';

describe('what of the rule of an engine may end a run', () => {
  const paused = experimentWith('PROCESS_PAUSE');
  const disposable = kafkaCluster({ disposable: true });
  const quorum = { name: 'quorum', members: [ONE, TWO, THREE], inSync: [ONE, TWO, THREE], minInSync: 2 };
  const tooFew = topologyWith({ replicaSets: [set(ONE), quorum] });
  const refusalOf = (rule: ReturnType<typeof gateRule>, topology = tooFew) =>
    rule.refuseDuring?.(topology, [THREE])?.detail;

  it('is all of it, as a rule, and nothing for an engine without one', () => {
    expect(refusalOf(gateRule(NAME, disposable, paused, logOf()))).toContain(REPLICAS);
    expect(gateRule(NAME, redisCluster(), paused, logOf(EXCEEDS))).toEqual({});
  });

  it('is the silence of others where it was admitted not to survive the run, and nothing where there are none', () => {
    const rule = gateRule(NAME, disposable, paused, logOf(EXCEEDS));
    expect(refusalOf(rule)).toBeUndefined();
    expect(refusalOf(rule, topologyWith({ silentNodes: [THREE] }))).toBeUndefined();
    expect(refusalOf(rule, topologyWith({ silentNodes: [TWO] }))).toBe('node-2 does not answer, and no fault is on it');
    expect(gateRule(NAME, disposable, paused, logOf(EXCEEDS, { impactedNodes: 3, liveNodes: 3 }))).toEqual({});
  });

  it('is all of it where the cluster may not lose that by now, whatever the log says, and for another cluster of the run', () => {
    const production = {
      ...{ tier: 'production', disposable: true, tls: { serverName: '{node}.example' }, secretName: 'kafka' },
      ...{ credentialsFor: { securityGroupId: 'sg-1' }, kafka: { sasl: 'SCRAM-SHA-512' } },
    };
    for (const change of [{}, production])
      expect(refusalOf(gateRule(NAME, kafkaCluster(change), paused, logOf(EXCEEDS)))).toContain(REPLICAS);
    expect(refusalOf(gateRule('another', disposable, paused, logOf(EXCEEDS)))).toContain(REPLICAS);
    const ring = gateRule(NAME, cassandraCluster({}, { disposable: true }), paused, logOf(EXCEEDS));
    expect(refusalOf(ring)).toMatch(/1 of 3 replicas alive/);
  });

  it('does not hold it against a termination that data are moved, and all else does as before', () => {
    const terminated = experimentWith('INSTANCE_TERMINATE');
    const moving = topologyWith({ replicaSets: [{ ...set(ONE, TWO), isReassigned: true }] });
    // Whoever copies its data shows in each of its sets, also in those without the terminated node.
    const elsewhere = topologyWith({ replicaSets: [{ ...set(ONE, TWO), members: [ONE, TWO], isReassigned: true }] });
    const ruleOf = (experiment: typeof paused) => gateRule(NAME, cassandraCluster(), experiment, logOf());
    for (const topology of [moving, elsewhere]) {
      expect(refusalOf(ruleOf(terminated), topology)).toBeUndefined();
      expect(refusalOf(ruleOf(paused), topology)).toMatch(/^data are being streamed/);
    }
    expect(refusalOf(ruleOf(terminated))).toMatch(/1 of 3 replicas alive/);
    expect(refusalOf(ruleOf(terminated), topologyWith({ silentNodes: [ONE] }))).toContain('node-1 does not answer');
  });
});
