import { describe, expect, it } from 'vitest';
import type { Experiment, ProbeChoices } from '../../../functions/domain/experiment.ts';
import { type FailureMode, findingsOf } from '../../../functions/domain/failure-modes.ts';
import type { FaultParameters } from '../../../functions/domain/faults/catalogue.ts';
import type { CheckVerdict } from '../../../functions/domain/workflow.ts';
import { CASSANDRA_FAILURE_MODES } from '../../../functions/engines/cassandra/failure-modes.ts';
import { KAFKA_FAILURE_MODES } from '../../../functions/engines/kafka/failure-modes.ts';
import { REDIS_FAILURE_MODES } from '../../../functions/engines/redis/failure-modes.ts';
import { seedExperiment } from '../domain/experiment-fixtures.ts';
import { fullRun, iso, type RunChanges, reading } from '../domain/fixtures.ts';

const [seedFault] = seedExperiment().faults;
/** The mission's example, a partition, unless another fault is given. */
function experimentWith(parameters?: FaultParameters, probe?: ProbeChoices): Experiment {
  const seed = seedExperiment();
  const faults = seed.faults.map((fault) => (parameters ? { ...fault, kind: parameters.kind, parameters } : fault));
  return { ...seed, faults, ...(probe ? { probe } : {}) };
}
const paused: FaultParameters = { kind: 'PROCESS_PAUSE', targetNodes: ['redis-node-3'] };
const killed: FaultParameters = {
  ...{ kind: 'PROCESS_KILL', targetNodes: ['redis-node-3'], signal: 'KILL', restart: 'rollback' },
};

const valuesWith = (counts: { overwritten?: number; resurrected?: number }) => ({
  ...{ overwritten: 0, resurrected: 0, stale: 0, unacknowledgedThrough: {}, ...counts },
  examples: { overwritten: [], resurrected: [], lost: [], stale: [] },
});
const checkOf = (measure: string, measured: number, result: CheckVerdict['result'] = 'FAILED'): CheckVerdict => ({
  ...{ name: 'moves once', cluster: 'redis-master', measure, when: 'AFTER_ROLLBACK', tolerance: { atMost: 1 } },
  ...{ unit: 'moves', result, measured },
});
const moves = (measure: string, measured: number, other: Partial<CheckVerdict> = {}): CheckVerdict => ({
  ...checkOf(measure, measured),
  ...{ name: 'moves', when: 'HAPPENS', tolerance: { atLeast: 1 }, ...other },
});
const rebalances = (measured: number, other: Partial<CheckVerdict> = {}): CheckVerdict => ({
  ...checkOf('sum(increase(group_rebalances_total[5s]))', measured),
  ...{ unit: 'rebalances', ...other },
});

/** An outage of so many seconds that ended then; the fault is announced at second 2, and ends at 62.9. */
const outage = (electedAt: number, recoveredAt: number, rtoSeconds: number): RunChanges['PROBE_MEASURED'] => ({
  rtoSeconds,
  phases: [
    { phase: 'ELECTED' as const, at: iso(electedAt), secondsAfterFault: electedAt - 2 },
    { phase: 'CLIENTS_RECOVERED' as const, at: iso(recoveredAt), secondsAfterFault: recoveredAt - 2 },
  ].map((phase) => ({ ...phase, event: 'seen', uncertaintyMs: 0 })),
});

interface Shown {
  experiment?: Experiment;
  measured?: RunChanges['PROBE_MEASURED'];
  checks?: CheckVerdict[];
  stopped?: RunChanges['GUARD_STOPPED'];
}
function findingsIn(modes: readonly FailureMode[], { experiment, measured, checks = [], stopped }: Shown = {}) {
  const run = fullRun({
    ADMITTED: { experiment: experiment ?? experimentWith() },
    ...(measured ? { PROBE_MEASURED: measured } : {}),
    ...(stopped ? { GUARD_STOPPED: stopped } : {}),
  });
  return findingsOf(run, checks, () => modes).map(({ failureMode, value }) => [failureMode, value]);
}
const lost = { lostAcknowledgedWrites: 7 };

describe('a known failure mode', () => {
  it.each<[string, readonly FailureMode[], Shown, Shown]>([
    ['split brain', REDIS_FAILURE_MODES, { measured: lost }, { experiment: experimentWith(killed), measured: lost }],
    [
      'asynchronous replication',
      REDIS_FAILURE_MODES,
      { experiment: experimentWith(killed), measured: lost },
      { measured: lost },
    ],
    [
      'flapping after a pause',
      REDIS_FAILURE_MODES,
      { experiment: experimentWith(paused), checks: [checkOf('failovers', 7)] },
      { experiment: experimentWith(killed), checks: [checkOf('failovers', 7)] },
    ],
    [
      'one acknowledgement',
      KAFKA_FAILURE_MODES,
      { experiment: experimentWith(undefined, { acks: '1' }), measured: lost },
      { experiment: experimentWith(undefined, { acks: 'all' }), measured: lost },
    ],
    [
      'too few in-sync replicas',
      KAFKA_FAILURE_MODES,
      { measured: lost },
      { experiment: experimentWith(undefined, { acks: '1' }), measured: lost },
    ],
    [
      'flapping after a pause',
      KAFKA_FAILURE_MODES,
      { experiment: experimentWith(paused), checks: [checkOf('leaderChanges', 7)] },
      { experiment: experimentWith(paused), checks: [checkOf('leaderChanges', 7, 'HELD')] },
    ],
    [
      'clock order inversion',
      CASSANDRA_FAILURE_MODES,
      { measured: { ...lost, values: valuesWith({ overwritten: 7 }) } },
      { measured: { ...lost, values: valuesWith({}) } },
    ],
    [
      'resurrected data',
      CASSANDRA_FAILURE_MODES,
      { measured: { ...lost, values: valuesWith({ resurrected: 7 }) } },
      { measured: { ...lost, values: valuesWith({ overwritten: 7 }) } },
    ],
    [
      'default client profile',
      CASSANDRA_FAILURE_MODES,
      { experiment: experimentWith(killed, { client: 'default' }), measured: { failedWrites: 7 } },
      { experiment: experimentWith(killed, { client: 'tuned' }), measured: { failedWrites: 7 } },
    ],
    [
      'flapping after a pause',
      CASSANDRA_FAILURE_MODES,
      { experiment: experimentWith(paused), checks: [checkOf('convictions', 7)] },
      { experiment: experimentWith(paused), checks: [checkOf('another', 7)] },
    ],
    [
      'consumer group rebalance',
      KAFKA_FAILURE_MODES,
      { checks: [rebalances(7)] },
      { checks: [rebalances(7, { result: 'HELD' }), rebalances(7, { unit: 'requests' }), rebalances(0)] },
    ],
    ['stale metadata', KAFKA_FAILURE_MODES, { measured: outage(56.5, 63.5, 60) }, { measured: outage(56.5, 62.5, 60) }],
    [
      'thread pool saturation',
      [],
      { stopped: { reason: 'GUARDRAIL', breaches: [reading('freeWorkersPct', { value: 7, breached: true })] } },
      { stopped: { reason: 'GUARDRAIL', breaches: [reading('errorRatePct', { value: 7, breached: true })] } },
    ],
  ])('%s is named with its number by a run that shows it, and by no other', (mode, modes, shows, showsNot) => {
    expect(findingsIn(modes, shows)).toContainEqual([mode, 7]);
    expect(findingsIn(modes, showsNot).map(([name]) => name)).not.toContain(mode);
  });

  it.each<[string, string, readonly FailureMode[]]>([
    ['no failover', 'failovers', REDIS_FAILURE_MODES],
    ['no new leader', 'leaderChanges', KAFKA_FAILURE_MODES],
  ])('%s is named where roles had to move and did not, while writes failed, and only there', (mode, measure, modes) => {
    const measured = { failedWrites: 7 };
    expect(findingsIn(modes, { measured, checks: [moves(measure, 0)] })).toEqual([[mode, 0]]);
    const never: Shown[] = [
      { measured: { failedWrites: 0 }, checks: [moves(measure, 0)] },
      { measured: { ...measured, provenOnImpacted: false }, checks: [moves(measure, 0)] },
      { measured, checks: [moves(measure, 1, { tolerance: { atLeast: 2 } })] },
      { measured, checks: [moves(measure, 0, { result: 'UNKNOWN' })] },
      { measured, checks: [moves('another', 0)] },
    ];
    for (const shown of never) expect(findingsIn(modes, shown)).toEqual([]);
  });

  it('quorum lost is named where no controller answered, writes failed and nobody was elected, and only there', () => {
    const measured = { failedWrites: 7 };
    const none = { ...checkOf('activeControllers', 0, 'HELD'), unit: 'controllers' };
    const found = (shown: Shown) => findingsIn(KAFKA_FAILURE_MODES, shown);
    expect(found({ measured, checks: [none] })).toEqual([['quorum lost', 0]]);
    expect(found({ measured, checks: [{ ...none, result: 'FAILED' }] })).toEqual([['quorum lost', 0]]);
    // Elections that the end of the fault made possible.
    expect(found({ measured: { ...outage(63, 64, 61), ...measured }, checks: [none] })).toEqual([['quorum lost', 0]]);
    const never: Shown[] = [
      { measured: { failedWrites: 0 }, checks: [none] },
      { measured, checks: [{ ...none, measured: 1 }] },
      { measured, checks: [moves('another', 0, { result: 'HELD' })] },
      // A controller followed the one that was lost.
      { measured: { ...outage(50, 55, 53), ...measured }, checks: [none] },
    ];
    for (const shown of never) expect(found(shown), JSON.stringify(shown)).toEqual([]);
  });

  it('blames no client that had little time to follow, or that the end of the fault itself took from its leader', () => {
    const stale = (measured: RunChanges['PROBE_MEASURED']) => findingsIn(KAFKA_FAILURE_MODES, { measured });
    expect(stale(outage(20, 63, 61))).toEqual([['stale metadata', 43]]);
    expect(stale(outage(20, 63, 20))).toEqual([['stale metadata', 20]]);
    // Nobody else led for long.
    expect(stale(outage(60, 63, 61))).toEqual([]);
    expect(stale(outage(63, 64, 61))).toEqual([]);
    // It wrote all the while, and failed when the old leader came back.
    expect(stale(outage(20, 65, 2.5))).toEqual([]);
    expect(stale({ ...outage(20, 63, 61), provenOnImpacted: false })).toEqual([]);
    expect(stale({ ...outage(20, 63, 61), stillFailing: true })).toEqual([]);
  });

  const ALL = [...REDIS_FAILURE_MODES, ...KAFKA_FAILURE_MODES, ...CASSANDRA_FAILURE_MODES];

  it('is never named by a run that went well', () => {
    for (const experiment of [experimentWith(), experimentWith(killed), experimentWith(paused, { acks: '1' })])
      expect(findingsIn(ALL, { experiment, measured: { failedWrites: 60, values: valuesWith({}) } })).toEqual([]);
  });

  it('is never named by what nobody saw to its end: a loss that does not count shows nothing', () => {
    expect(findingsIn(ALL, { measured: { ...lost, provenOnImpacted: false } })).toEqual([]);
    expect(findingsIn(ALL, { measured: { lostAcknowledgedWrites: undefined } })).toEqual([]);
    const experiment = experimentWith(killed, { client: 'default' });
    expect(findingsIn(ALL, { experiment, measured: { failedWrites: 7, provenOnImpacted: false } })).toEqual([]);
  });

  it('says which setting addresses it, of the cluster that shows it', () => {
    const [finding] = findingsOf(fullRun({ PROBE_MEASURED: lost }), [], () => REDIS_FAILURE_MODES);
    expect(finding).toEqual({
      ...{ cluster: seedFault?.cluster, failureMode: 'split brain', measure: 'lostAcknowledgedWrites' },
      ...{ value: 7, unit: 'writes', setting: expect.stringMatching(/min-replicas-to-write 1/) },
    });
  });
});
