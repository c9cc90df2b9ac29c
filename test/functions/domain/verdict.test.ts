import { describe, expect, it } from 'vitest';
import type { LateBreach } from '../../../functions/domain/rollback-watch.ts';
import { judge, leavesClusterFree } from '../../../functions/domain/verdict.ts';
import type { FisRollback } from '../../../functions/domain/workflow.ts';
import { experimentOf, fisFault, hostFault, planOf, SEED_FAULT } from './experiment-fixtures.ts';
import {
  fullRun,
  type Given,
  iso,
  logAfter,
  nodeAnswer,
  type RunChanges,
  reading,
  reverted,
  rollbackFailed,
  rolledBack,
  targetsOf,
} from './fixtures.ts';
import { roleIn, targetNode } from './target-fixtures.ts';

const allowed = { rtoSeconds: 15, unavailableSeconds: 30, lostAcknowledgedWrites: 0 };
const limits = { 'redis-master': allowed };
const verdictOf = (changes: RunChanges = {}) => {
  const { status, outcome } = judge(fullRun(changes), limits);
  return `${status} ${outcome}`;
};
const effectLost = { revertReason: 'EFFECT_LOST', effectLostAt: iso(40), liftedAt: iso(41) };
const breach = reading('errorRatePct', { value: 2, limit: 0.5, breached: true });

describe('the verdict', () => {
  it.each<[what: string, changes: RunChanges, verdict: string]>([
    ['confirms a run that met every budget', {}, 'COMPLETED CONFIRMED'],
    ['finds a deviation when recovery took too long', { PROBE_MEASURED: { rtoSeconds: 15.1 } }, 'COMPLETED DEVIATED'],
    [
      'confirms nothing when the fence fell before the store knew its master',
      { ROLLED_BACK: rolledBack({ fence: { outcome: 'DEADLINE' } }) },
      'COMPLETED INCONCLUSIVE',
    ],
    [
      'finds a deviation when an acknowledged write was lost',
      { PROBE_MEASURED: { lostAcknowledgedWrites: 1 } },
      'COMPLETED DEVIATED',
    ],
    [
      'finds a deviation when the client never recovered',
      { PROBE_MEASURED: { stillFailing: true } },
      'COMPLETED DEVIATED',
    ],
    [
      'finds a deviation when a client flapped: short outages that were too much together',
      { PROBE_MEASURED: { rtoSeconds: 14.902, unavailableSeconds: 494.1 } },
      'COMPLETED DEVIATED',
    ],
    [
      'confirms nothing when nobody looked for a while',
      { PROBE_MEASURED: { rtoSeconds: undefined, unavailableSeconds: undefined, largestGapSeconds: 40 } },
      'COMPLETED INCONCLUSIVE',
    ],
    [
      'finds no deviation in a measurement that ended before the recovery, however bad it was',
      { PROBE_MEASURED: { observedUntil: iso(60), rtoSeconds: 99, lostAcknowledgedWrites: 5, stillFailing: true } },
      'COMPLETED INCONCLUSIVE',
    ],
    ['confirms nothing without a measurement', { PROBE_MEASURED: undefined }, 'COMPLETED INCONCLUSIVE'],
    [
      'confirms nothing when losses could not be counted',
      { PROBE_MEASURED: { lostAcknowledgedWrites: undefined } },
      'COMPLETED INCONCLUSIVE',
    ],
    [
      'confirms nothing when the probe did not write to the impacted nodes before the fault',
      { PROBE_MEASURED: { provenOnImpacted: false } },
      'COMPLETED INCONCLUSIVE',
    ],
    [
      'says nothing of the system when the probe failed from the beginning',
      { PROBE_MEASURED: { provenOnImpacted: false, stillFailing: true } },
      'COMPLETED INCONCLUSIVE',
    ],
    [
      'escalates a rollback that failed',
      { ROLLED_BACK: undefined, ROLLBACK_FAILED: rollbackFailed() },
      'ROLLBACK_FAILED INCONCLUSIVE',
    ],
    [
      'escalates leftovers although the rollback says it succeeded',
      { ROLLED_BACK: rolledBack({ leftovers: ['-A HOLDFAST'] }) },
      'ROLLBACK_FAILED INCONCLUSIVE',
    ],
    ['escalates a rollback that is not in the log', { ROLLED_BACK: undefined }, 'ROLLBACK_FAILED INCONCLUSIVE'],
    [
      'escalates a store that did not recover',
      { RECOVERY_VERIFIED: undefined, RECOVERY_FAILED: {} },
      'ROLLBACK_FAILED DEVIATED',
    ],
    [
      'says nothing when a host lost its lease',
      { ROLLED_BACK: rolledBack({ revertReason: 'LEASE_LOST' }) },
      'ABORTED INCONCLUSIVE',
    ],
    [
      'says nothing when a watchdog died',
      { ROLLED_BACK: rolledBack({ revertReason: 'WATCHDOG_DIED' }) },
      'ABORTED INCONCLUSIVE',
    ],
    [
      'says nothing when the TTL of a host ran out clearly before the common end',
      { INJECTED: { nodes: [] }, ROLLED_BACK: rolledBack({ liftedAt: iso(60.9) }) },
      'ABORTED INCONCLUSIVE',
    ],
    [
      'lets a host end as much before the others as its answer took',
      { INJECTED: { nodes: [] }, ROLLED_BACK: rolledBack({ liftedAt: iso(61) }) },
      'COMPLETED CONFIRMED',
    ],
    [
      'leaves a host the time of the application out of its TTL, which counts from the beginning',
      {
        INJECTED: { nodes: [nodeAnswer({ appliedAt: iso(2.9) })] },
        ROLLED_BACK: rolledBack({ liftedAt: iso(58.4) }),
      },
      'COMPLETED CONFIRMED',
    ],
    [
      'says nothing when a host had the fault long before the last one of its batch answered',
      {
        INJECTED: { nodes: [nodeAnswer({ appliedAt: iso(-1) })] },
        ROLLED_BACK: rolledBack({ liftedAt: iso(58.4) }),
      },
      'ABORTED INCONCLUSIVE',
    ],
    [
      'says nothing when nobody knows at what time a TTL ran out',
      { ROLLED_BACK: rolledBack({ liftedAt: undefined }) },
      'ABORTED INCONCLUSIVE',
    ],
    [
      'says nothing when a host no longer knew the fault',
      { ROLLED_BACK: rolledBack({ outcome: 'NOTHING_TO_REVERT' }) },
      'ABORTED INCONCLUSIVE',
    ],
    [
      'says nothing when the rollback asked no host',
      { ROLLED_BACK: { rolledBackAt: undefined, nodes: [] } },
      'ABORTED INCONCLUSIVE',
    ],
    [
      'says nothing when a worker that carried the fault died',
      { ROLLED_BACK: rolledBack({ revertReason: 'WORKER_DIED' }) },
      'ABORTED INCONCLUSIVE',
    ],
    [
      'says nothing when the effect was gone while the fault should have lived',
      { ROLLED_BACK: rolledBack(effectLost) },
      'ABORTED INCONCLUSIVE',
    ],
    [
      'finds no deviation where the effect was gone, however long recovery took',
      { ROLLED_BACK: rolledBack(effectLost), PROBE_MEASURED: { rtoSeconds: 15.1, lostAcknowledgedWrites: 1 } },
      'ABORTED INCONCLUSIVE',
    ],
    [
      'finds no deviation where the effect was gone, although a guardrail was crossed',
      { ROLLED_BACK: rolledBack(effectLost), GUARD_STOPPED: { reason: 'GUARDRAIL', breaches: [breach] } },
      'ABORTED INCONCLUSIVE',
    ],
    [
      'says nothing when the effect was gone before the host was told to revert',
      { ROLLED_BACK: rolledBack({ ...effectLost, revertReason: 'ROLLBACK' }) },
      'ABORTED INCONCLUSIVE',
    ],
    [
      'says nothing when a host reverted for a reason that is not known here',
      { ROLLED_BACK: rolledBack({ revertReason: 'BATTERY_EMPTY' }) },
      'ABORTED INCONCLUSIVE',
    ],
    [
      'says nothing when a host reverted and nobody knows why',
      { ROLLED_BACK: rolledBack({ revertReason: undefined }) },
      'ABORTED INCONCLUSIVE',
    ],
    ...['ROLLBACK', 'LEASE_RELEASED', 'KILL_SWITCH'].map((revertReason): [string, RunChanges, string] => [
      `confirms a run whose host reverted when it was told to: ${revertReason}`,
      { ROLLED_BACK: rolledBack({ revertReason }) },
      'COMPLETED CONFIRMED',
    ]),
    ...['NONE', 'NOT_NEEDED', 'SETTLED'].map((outcome): [string, RunChanges, string] => [
      `confirms a run in which clients met no store of unknown role: the fence was ${outcome}`,
      { ROLLED_BACK: rolledBack({ fence: { outcome } }) },
      'COMPLETED CONFIRMED',
    ]),
    ...['FAILED', 'UNREADABLE', 'HANDED_OVER'].map((outcome): [string, RunChanges, string] => [
      `confirms nothing when nobody knows that the fence kept clients away: ${outcome}`,
      { ROLLED_BACK: rolledBack({ fence: { outcome } }) },
      'COMPLETED INCONCLUSIVE',
    ]),
    [
      'confirms nothing when a later fault came too late',
      { INJECTED: { injectedFaults: [] }, INJECTION_SKIPPED: {} },
      'COMPLETED INCONCLUSIVE',
    ],
    ['confirms nothing when a later fault was not confirmed', { INJECTION_FAILED: {} }, 'ABORTED INCONCLUSIVE'],
    [
      'finds a deviation when a guardrail was crossed',
      { GUARD_STOPPED: { reason: 'GUARDRAIL', breaches: [breach] } },
      'ABORTED DEVIATED',
    ],
    [
      'says nothing when the guard went blind',
      {
        GUARD_STOPPED: {
          reason: 'GUARDRAIL',
          breaches: [reading('errorRatePct', { value: undefined, breached: true })],
        },
      },
      'ABORTED INCONCLUSIVE',
    ],
    ['says nothing when the guard left no report', { GUARD_STOPPED: undefined }, 'ABORTED INCONCLUSIVE'],
    ['calls a run that a person ended aborted', { GUARD_STOPPED: { reason: 'ABORT' } }, 'ABORTED INCONCLUSIVE'],
    ['calls an injection that failed aborted', { INJECTED: undefined, INJECTION_FAILED: {} }, 'ABORTED INCONCLUSIVE'],
    [
      'calls a run that the kill switch ended before the injection aborted',
      { INJECTING: undefined, INJECTED: undefined, ROLLING_BACK: { reason: 'KILL_SWITCH' } },
      'ABORTED INCONCLUSIVE',
    ],
    [
      'calls a run that injected nothing refused',
      { INJECTING: undefined, INJECTED: undefined, ROLLING_BACK: { reason: 'ROLLBACK', detail: 'SteadyStateNotMet' } },
      'REFUSED INCONCLUSIVE',
    ],
  ])('%s', (_name, changes, expected) => {
    expect(verdictOf(changes)).toBe(expected);
  });

  it('says why nothing was measured, and where', () => {
    expect(judge(fullRun({ PROBE_MEASURED: { largestGapSeconds: 40 } }), limits).reason).toBe(
      'not measured: shard-1 of redis-master: the probe did nothing for 40 s, at most 0.5 s may pass unseen',
    );
  });

  it('confirms nothing of a fault on two shards when one of them was not measured', () => {
    const TARGETS_RESOLVED = targetsOf([SEED_FAULT]);
    const [targets] = TARGETS_RESOLVED.targets.faults;
    targets?.impacted.push(targetNode(6, { roles: [roleIn('shard-2')] }));
    expect(judge(fullRun({ TARGETS_RESOLVED }), limits)).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: 'not measured: shard-2 of redis-master: the probe left no report',
    });
  });

  it.each([
    ['names the node whose effect was gone, and when', {}, iso(40)],
    ['says so when nobody knows when the effect was gone', { effectLostAt: undefined }, 'an unknown time'],
  ])('%s', (_name, change, when) => {
    const log = fullRun({ ROLLED_BACK: rolledBack({ ...effectLost, ...change }) });
    expect(judge(log, limits).reason).toBe(
      `redis-node-3 reverted by itself (EFFECT_LOST): the effect of the fault was gone at ${when}`,
    );
  });
});

/** A host fault at once, and one in FIS; both announced and confirmed. */
const [onHost, inFis] = [hostFault(1, 0), fisFault(2, 20)];
const ended: FisRollback = {
  ...{ faultId: inFis.faultId, fisExperimentId: 'EXP1', state: 'stopped', outcome: 'REVERTED', endedAt: iso(63) },
};
const onNode = reverted({
  node: 'node-1',
  instanceId: 'i-node-1',
  faultId: onHost.faultId,
  revertReason: 'LEASE_RELEASED',
});
function verdictOfSeveral(services: FisRollback[], changes: RunChanges = {}) {
  const log = fullRun({
    ADMITTED: { experiment: experimentOf([onHost, inFis]) },
    TARGETS_RESOLVED: targetsOf([onHost, inFis]),
    INJECTING: planOf([onHost, inFis]),
    INJECTED: { injectedFaults: [onHost.faultId, inFis.faultId] },
    ROLLED_BACK: { nodes: [onNode], services },
    ...changes,
  });
  const { status, outcome, reason } = judge(log, limits);
  return `${status} ${outcome}: ${reason}`;
}

/** A guardrail beyond its limit after the fault had ended. */
const late = (firstSecond: number): LateBreach => ({
  ...reading('errorRatePct', { value: 3, limit: 0.5, breached: true, reason: '3 % is above 0.5 %' }),
  ...{ firstAt: iso(firstSecond), lastAt: iso(firstSecond + 2) },
});
const watched = (...seconds: number[]) => ({ breaches: seconds.map(late) });
const fenced = rolledBack({ fence: { outcome: 'SETTLED', raisedAt: iso(63), loweredAt: iso(65) } });

describe('the verdict over rollback and recovery', () => {
  it.each<[string, RunChanges, string]>([
    ['finds a deviation when a guardrail is crossed', { ROLLBACK_WATCHED: watched(64) }, 'COMPLETED DEVIATED'],
    [
      'finds no deviation where our own fence kept clients away',
      { ROLLED_BACK: fenced, ROLLBACK_WATCHED: watched(64) },
      'COMPLETED INCONCLUSIVE',
    ],
    [
      'finds the deviation that the probe saw, also where our own fence kept clients away',
      { ROLLED_BACK: fenced, ROLLBACK_WATCHED: watched(64), PROBE_MEASURED: { rtoSeconds: 15.1 } },
      'COMPLETED DEVIATED',
    ],
    [
      'finds one that began before the fence was raised',
      { ROLLED_BACK: fenced, ROLLBACK_WATCHED: watched(62) },
      'COMPLETED DEVIATED',
    ],
    [
      'finds one that began long after the fence was down',
      { ROLLED_BACK: fenced, ROLLBACK_WATCHED: watched(69) },
      'COMPLETED DEVIATED',
    ],
    [
      'finds one beside another that is our doing',
      { ROLLED_BACK: fenced, ROLLBACK_WATCHED: watched(64, 62) },
      'COMPLETED DEVIATED',
    ],
    [
      'confirms nothing that was not seen to its end',
      { ROLLBACK_WATCHED: { unseen: ['redis-master errorRatePct: 3 of 9 s'] } },
      'COMPLETED INCONCLUSIVE',
    ],
    ['confirms nothing of which nobody looked back', { ROLLBACK_WATCHED: undefined }, 'COMPLETED INCONCLUSIVE'],
    [
      'finds the deviation that the probe saw, whatever was not seen later',
      { ROLLBACK_WATCHED: undefined, PROBE_MEASURED: { rtoSeconds: 15.1 } },
      'COMPLETED DEVIATED',
    ],
    [
      'finds a deviation in a run that a person ended, when a guardrail was crossed after',
      { GUARD_STOPPED: { reason: 'ABORT' }, ROLLBACK_WATCHED: watched(64) },
      'ABORTED DEVIATED',
    ],
    [
      'leaves a run that a person ended behind our fence inconclusive',
      { GUARD_STOPPED: { reason: 'ABORT' }, ROLLED_BACK: fenced, ROLLBACK_WATCHED: watched(64) },
      'ABORTED INCONCLUSIVE',
    ],
  ])('%s', (_name, changes, expected) => {
    expect(verdictOf(changes)).toBe(expected);
  });

  it('says which guardrail it was, its number, and since when', () => {
    expect(judge(fullRun({ ROLLBACK_WATCHED: watched(64) }), limits).reason).toBe(
      `during the rollback, redis-master errorRatePct: 3 % is above 0.5 %, from ${iso(64)}`,
    );
  });
});

describe('the verdict over several faults', () => {
  it('confirms a run whose faults all held to the end, on the host and in FIS', () => {
    expect(verdictOfSeveral([ended])).toMatch(/^COMPLETED CONFIRMED/);
    expect(verdictOfSeveral([{ ...ended, state: 'completed', endedAt: iso(5) }])).toMatch(/^COMPLETED CONFIRMED/);
  });

  it.each([
    ['FIS gave it up', { ...ended, state: 'failed' }],
    ['FIS never began it', { ...ended, state: 'cancelled' }],
    ['an alarm stopped it before the rollback', { ...ended, endedAt: iso(4) }],
  ])('says nothing when %s', (_what, given) => {
    expect(verdictOfSeveral([given])).toMatch(/^ABORTED INCONCLUSIVE: exp\.2: \w+ by the service/);
  });

  it('says nothing when the rollback found nothing of one of the faults', () => {
    expect(verdictOfSeveral([])).toMatch(/^ABORTED INCONCLUSIVE: the rollback found nothing .* exp\.2/);
  });

  it('escalates a fault that is still in FIS', () => {
    expect(verdictOfSeveral([{ ...ended, state: 'running', outcome: 'FAILED', detail: 'not stopped' }])).toBe(
      'ROLLBACK_FAILED INCONCLUSIVE: exp.2: not stopped',
    );
  });

  it('names the faults that were never injected', () => {
    const INJECTED = { injectedFaults: [onHost.faultId] };
    const INJECTION_SKIPPED = { faults: [inFis.faultId], reason: 'less than a second was left' };
    expect(verdictOfSeveral([], { INJECTING: planOf([onHost]), INJECTED, INJECTION_SKIPPED })).toBe(
      'COMPLETED INCONCLUSIVE: not injected: fault 2 (less than a second was left)',
    );
  });

  it('takes no word from a host to which nothing was ever sent', () => {
    const idle = reverted({ faultId: 'exp.9', outcome: 'NOTHING_TO_REVERT', revertReason: undefined });
    const ROLLED_BACK = { nodes: [onNode, idle], services: [ended] };
    expect(verdictOfSeveral([ended], { ROLLED_BACK })).toMatch(/^COMPLETED CONFIRMED/);
  });
});

describe('a verdict leaves its clusters', () => {
  const failed = fullRun({
    ROLLED_BACK: undefined,
    RECOVERY_VERIFIED: undefined,
    ROLLBACK_FAILED: {},
    RECOVERY_FAILED: {},
  });
  const isFree = (...behind: Given[]) => leavesClusterFree({ status: 'ROLLBACK_FAILED' }, logAfter(failed, ...behind));

  it('free after any run that was rolled back', () => {
    for (const status of ['COMPLETED', 'ABORTED', 'REFUSED'] as const)
      expect(leavesClusterFree({ status }, fullRun())).toBe(true);
  });

  it('to nobody after a rollback that failed, until a later one succeeded and the store was healthy behind it', () => {
    expect(isFree()).toBe(false);
    expect(isFree(['ROLLED_BACK'])).toBe(false);
    expect(isFree(['ROLLED_BACK'], ['RECOVERY_FAILED'])).toBe(false);
    expect(isFree(['ROLLED_BACK'], ['RECOVERY_VERIFIED'])).toBe(true);
    expect(isFree(['ROLLED_BACK'], ['RECOVERY_VERIFIED'], ['ROLLBACK_FAILED'])).toBe(false);
  });
});
