import { describe, expect, it } from 'vitest';
import { evidenceOf } from '../../../functions/domain/evidence.ts';
import { PROBE_MAX_GAP_MS } from '../../../functions/domain/timing.ts';
import { detailsOf, fullRun, iso, logAfter, type RunChanges } from './fixtures.ts';

const shard = { cluster: 'redis-master', shard: 'shard-1' };
const of = (changes: RunChanges = {}) => evidenceOf(fullRun(changes));
const measured = { ...shard, stillFailing: false, rtoSeconds: 6.5, unavailableSeconds: 6.5, lostAcknowledgedWrites: 0 };
const nothing = (problem: string | RegExp) => [
  { ...shard, stillFailing: false, problem: typeof problem === 'string' ? problem : expect.stringMatching(problem) },
];
const gapOf = (milliseconds: number) => of({ PROBE_MEASURED: { largestGapSeconds: milliseconds / 1000 } });

describe('the evidence of what clients saw', () => {
  it('is what the probe measured from before the fault until the recovery was verified', () => {
    expect(of()).toEqual([measured]);
    expect(of({ PROBE_MEASURED: { observedUntil: iso(70) } })).toEqual([measured]);
  });

  it('has stale reads where they were counted, and none of a probe that had nothing promised', () => {
    expect(of({ PROBE_MEASURED: { staleReads: 3 } })).toEqual([{ ...measured, staleReads: 3 }]);
    expect(of({ PROBE_MEASURED: { staleReads: 0, acknowledgedWrites: 0 } })[0]).not.toHaveProperty('staleReads');
  });

  it('has what a log did to records beside losing them, and nothing of another store or without an acknowledged one', () => {
    const none = { lost: [], duplicated: [], reordered: [], repeatedOffsets: [] };
    const records = { duplicated: 2, reordered: 1, repeatedOffsets: 0, examples: none };
    expect(of({ PROBE_MEASURED: { records } })).toEqual([{ ...measured, duplicatedRecords: 2, reorderedRecords: 1 }]);
    expect(of()[0]).not.toHaveProperty('duplicatedRecords');
    expect(of({ PROBE_MEASURED: { records, acknowledgedWrites: 0 } })[0]).not.toHaveProperty('reorderedRecords');
  });

  it('has how a store lost acknowledged values, and nothing of another store or without an acknowledged one', () => {
    const examples = { overwritten: [], resurrected: [], lost: [], stale: [] };
    const values = { overwritten: 2, resurrected: 1, stale: 0, unacknowledgedThrough: { n1: 3, n2: 4 }, examples };
    expect(of({ PROBE_MEASURED: { values } })).toEqual([
      { ...measured, overwrittenWrites: 2, resurrectedWrites: 1, unacknowledgedWrites: 7 },
    ]);
    expect(of()[0]).not.toHaveProperty('overwrittenWrites');
    expect(of({ PROBE_MEASURED: { values, acknowledgedWrites: 0 } })[0]).not.toHaveProperty('resurrectedWrites');
  });

  it('is nothing when the probe left no report', () => {
    expect(of({ PROBE_MEASURED: undefined })).toEqual(nothing('the probe left no report'));
  });

  it('is nothing when the probe ended before the recovery was verified: what was lost in the rollback nobody saw', () => {
    const early = nothing(`the probe looked until ${iso(69.9)}, the recovery took until ${iso(70)}`);
    expect(of({ PROBE_MEASURED: { observedUntil: iso(69.9) } })).toEqual(early);
    expect(of({ RECOVERY_VERIFIED: undefined })).toEqual(nothing(/recovery is not in the log/));
    expect(of({ ROLLED_BACK: undefined })).toEqual(nothing(/recovery is not in the log/));
  });

  it('is nothing when the probe began only after the fault was announced', () => {
    expect(of({ PROBE_MEASURED: { observedFrom: iso(2.1) } })).toEqual(nothing(/^the probe began at/));
  });

  it('is nothing when nobody looked for longer than a client may be left unseen', () => {
    expect(gapOf(PROBE_MAX_GAP_MS)).toEqual([measured]);
    expect(gapOf(PROBE_MAX_GAP_MS + 1)).toEqual(
      nothing('the probe did nothing for 0.501 s, at most 0.5 s may pass unseen'),
    );
    expect(gapOf(40_000)).toEqual(nothing(/for 40 s/));
  });

  it('is nothing when the impacted nodes were not seen to have a write before the fault, or none was ever tried', () => {
    expect(of({ PROBE_MEASURED: { provenOnImpacted: false } })).toEqual(nothing(/not seen to have a write/));
    const PROBE_MEASURED = { observedFrom: undefined, observedUntil: undefined };
    expect(of({ PROBE_MEASURED })).toEqual(nothing('the probe never wrote'));
  });

  it('is nothing when two invocations measured: neither knows what the other one hid', () => {
    const twin = { ...detailsOf('PROBE_MEASURED'), invocation: 'invocation-2' };
    const twice = nothing('measured by 2 invocations of the probe at once');
    expect(evidenceOf(logAfter(fullRun(), ['PROBE_MEASURED', twin, 74]))).toEqual(twice);
    expect(of({ PROBE_READY: { invocation: 'invocation-2' } })).toEqual(twice);
    expect(of({ LATENCY_RECORDED: { invocation: 'invocation-2' } })).toEqual(twice);
    const probed = { ...shard, invocation: 'invocation-2' };
    expect(of({ CHECKS_OBSERVED: { probed } })).toEqual(twice);
    expect(of({ CHECKS_OBSERVED: { probed: undefined }, LATENCY_RECORDED: {} })).toEqual([measured]);
  });

  it('stays what it was when something is written after the verdict', () => {
    const late: RunChanges = { CONCLUDED: {} };
    const log = logAfter(
      fullRun(late),
      ['PROBE_MEASURED', { invocation: 'invocation-2', rtoSeconds: 99 }],
      ['ROLLED_BACK', {}, 900],
      ['RECOVERY_VERIFIED', {}, 901],
    );
    expect(evidenceOf(log)).toEqual([measured]);
  });

  it('has no number for a client that was still failing, nor a loss where none was acknowledged or read back', () => {
    expect(of({ PROBE_MEASURED: { stillFailing: true } })).toEqual([
      { ...shard, stillFailing: true, lostAcknowledgedWrites: 0 },
    ]);
    for (const change of [{ acknowledgedWrites: 0 }, { lostAcknowledgedWrites: undefined }]) {
      expect(of({ PROBE_MEASURED: change })[0]).not.toHaveProperty('lostAcknowledgedWrites');
    }
  });

  it('says 0 of a client that never failed', () => {
    const PROBE_MEASURED = { rtoSeconds: undefined, unavailableSeconds: undefined };
    expect(of({ PROBE_MEASURED })).toEqual([{ ...measured, rtoSeconds: 0, unavailableSeconds: 0 }]);
  });

  it('of one shard says nothing of another one of the same name in another cluster', () => {
    expect(of({ PROBE_MEASURED: { cluster: 'redis-other' } })).toEqual(nothing('the probe left no report'));
  });
});
