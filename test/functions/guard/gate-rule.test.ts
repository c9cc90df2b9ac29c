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
const logOf = (toleratedLoss?: string, kind: Parameters<typeof experimentWith>[0] = 'PROCESS_PAUSE') => {
  const experiment = experimentWith(kind);
  const seen = { cluster: NAME, ...(toleratedLoss === undefined ? {} : { toleratedLoss }) };
  return admittedLog({ experiment, targets: resolvedTargetsOf(experiment), seen });
};
const EXCEEDS = 'orders-0 would keep 1 of 3';
const set = (...inSync: string[]) => ({ name: 'orders', members: [ONE, TWO, THREE], inSync, minInSync: 2 });
const topologyWith = (change: Parameters<typeof topologyOf>[1]) =>
  topologyOf([shardOf('shard-1', ONE, TWO, THREE)], { silentNodes: [], ...change });

describe('what of the rule of an engine may end a run', () => {
  const paused = experimentWith('PROCESS_PAUSE');
  const disposable = cassandraCluster({}, { disposable: true });
  const tooFew = topologyWith({ replicaSets: [set(ONE)] });
  const refusalOf = (rule: ReturnType<typeof gateRule>, topology = tooFew) =>
    rule.refuseDuring?.(topology, [THREE])?.detail;

  it('is all of it, as a rule, and nothing for an engine without one', () => {
    expect(refusalOf(gateRule(NAME, disposable, paused, logOf()))).toMatch(/^orders has, .* 1 of 3 replicas alive/);
    expect(gateRule(NAME, redisCluster(), paused, logOf(EXCEEDS))).toEqual({});
  });

  it('is the silence of others where it was admitted not to survive the run', () => {
    const rule = gateRule(NAME, disposable, paused, logOf(EXCEEDS));
    expect(refusalOf(rule)).toBeUndefined();
    expect(refusalOf(rule, topologyWith({ silentNodes: [THREE] }))).toBeUndefined();
    expect(refusalOf(rule, topologyWith({ silentNodes: [TWO] }))).toBe('node-2 does not answer, and no fault is on it');
    const quorumless = gateRule(NAME, kafkaCluster({ disposable: true }), paused, logOf(EXCEEDS));
    expect(refusalOf(quorumless)).toBeUndefined();
  });

  it('is all of it where the cluster may not lose that by now, whatever the log says, and for another cluster of the run', () => {
    for (const cluster of [cassandraCluster(), cassandraCluster({}, { disposable: false })])
      expect(refusalOf(gateRule(NAME, cluster, paused, logOf(EXCEEDS)))).toBeDefined();
    expect(refusalOf(gateRule('another', disposable, paused, logOf(EXCEEDS)))).toBeDefined();
  });

  it('does not hold it against a termination that data are moved away from its node, and all else does as before', () => {
    const terminated = experimentWith('INSTANCE_TERMINATE');
    const moving = topologyWith({ replicaSets: [{ ...set(ONE, TWO), isReassigned: true }] });
    const elsewhere = topologyWith({
      replicaSets: [{ ...set(ONE, TWO), members: [ONE, TWO], isReassigned: true }],
    });
    const ruleOf = (experiment: typeof paused) => gateRule(NAME, cassandraCluster(), experiment, logOf());
    expect(refusalOf(ruleOf(terminated), moving)).toBeUndefined();
    expect(refusalOf(ruleOf(paused), moving)).toMatch(/^data are being streamed/);
    expect(refusalOf(ruleOf(terminated), elsewhere)).toMatch(/^data are being streamed/);
    expect(refusalOf(ruleOf(terminated))).toMatch(/1 of 3 replicas alive/);
    expect(refusalOf(ruleOf(terminated), topologyWith({ silentNodes: [ONE] }))).toContain('node-1 does not answer');
  });
});
