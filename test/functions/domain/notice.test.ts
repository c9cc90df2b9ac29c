import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EntryDetails } from '../../../functions/domain/audit-entry.ts';
import { ENTRY_TYPES } from '../../../functions/domain/audit-schemas.ts';
import { announcementOf, noticeOf, TOLD_TYPES } from '../../../functions/domain/notice.ts';
import { bodyOf, MAX_MESSAGE_BYTES, MAX_SUBJECT_CHARACTERS, subjectOf } from '../../../functions/domain/notice-text.ts';
import { problem } from '../../../functions/domain/problem.ts';
import { principalOf } from '../../../functions/domain/schedules.ts';
import { codePoint } from './code-point.ts';
import { seedExperiment } from './experiment-fixtures.ts';
import { CALLER, type Changes, entry, fullRun, iso, type logAfter, logOf, rollbackFailed } from './fixtures.ts';

const ID = seedExperiment().experimentId;
const PLACE = 'NETWORK_PARTITION on redis-node-3 (redis-master)';
/** What is told of the last entry of a log. */
const lastOf = (log: ReturnType<typeof logOf>) => {
  const last = log.at(-1);
  return last && noticeOf(last, log);
};
const run = (...behind: Parameters<typeof logAfter>[1][]) => logOf(ID, ['ADMITTED'], ...behind);

describe('what people are told', () => {
  it('says what, where, the number and what to do, in the first lines', () => {
    expect(lastOf(run(['INJECTED']))).toEqual({
      severity: 'INFO',
      subject: `INFO Holdfast: started ${ID}: 1 fault, until 13:13:03 UTC`,
      body: [
        `STARTED: ${PLACE}`,
        '1 fault, until 13:13:03 UTC',
        `Experiment ${ID}`,
        `To end it now: holdfast abort ${ID}`,
        `More: holdfast status ${ID}`,
      ].join('\n'),
    });
  });

  it('tells an abort with its reason and its number', () => {
    const detail = 'errorRatePct: 1.2 % is above 0.5 %';
    const notice = lastOf(run(['INJECTED'], ['ROLLING_BACK', { reason: 'GUARDRAIL', detail }]));
    expect(notice).toMatchObject({ severity: 'WARNING', subject: expect.stringContaining(`GUARDRAIL: ${detail}`) });
    expect(notice?.body.split('\n').slice(0, 2)).toEqual([`ABORTED: ${PLACE}`, `GUARDRAIL: ${detail}`]);
  });

  it('tells no abort at the end of the time, nor again when a rollback is tried again', () => {
    expect(lastOf(run(['INJECTED'], ['ROLLING_BACK']))).toBeUndefined();
    const aborted = { reason: 'ABORT', detail: 'requested' } as const;
    const again = run(['ROLLING_BACK', aborted], ['ROLLBACK_FAILED'], ['ROLLING_BACK', aborted]);
    expect(lastOf(again)).toBeUndefined();
    expect(lastOf(again.slice(0, 2))).toMatchObject({ severity: 'WARNING' });
  });

  it('tells of every rollback that failed, with the host and what was left behind', () => {
    const failed = rollbackFailed({ detail: 'no report (SSM: DEADLINE)', leftovers: ['-A hf-1'] });
    expect(lastOf(run(['ROLLBACK_FAILED', failed]))).toMatchObject({
      severity: 'CRITICAL',
      subject: `CRITICAL Holdfast: rollback failed ${ID}: redis-node-3: no report (SSM: DEADLINE),...`,
      body: expect.stringMatching(/\nredis-node-3: no report \(SSM: DEADLINE\), -A hf-1\n.*A person is needed/s),
    });
    expect(lastOf(run(['ROLLBACK_FAILED'], ['ROLLBACK_FAILED']))).toMatchObject({ severity: 'CRITICAL' });
    expect(lastOf(run(['RECOVERY_FAILED']))).toMatchObject({ severity: 'CRITICAL' });
  });

  it('says when what somebody was paged for is well again, and only then', () => {
    expect(lastOf(run(['ROLLED_BACK'], ['RECOVERY_VERIFIED']))).toBeUndefined();
    expect(lastOf(run(['ROLLBACK_FAILED'], ['RECOVERY_VERIFIED']))).toBeUndefined();
    const well = run(['ROLLBACK_FAILED'], ['RECOVERY_VERIFIED'], ['ROLLED_BACK'], ['RECOVERY_VERIFIED']);
    expect(lastOf(run(['ROLLBACK_FAILED'], ['ROLLED_BACK'], ['RECOVERY_VERIFIED']))).toMatchObject({
      severity: 'INFO',
      subject: expect.stringContaining('recovered'),
    });
    expect(lastOf(well.slice(0, 4))).toBeUndefined();
  });

  it.each([
    ['INFO', { status: 'COMPLETED', outcome: 'CONFIRMED' }],
    ['WARNING', { status: 'COMPLETED', outcome: 'DEVIATED' }],
    ['WARNING', { status: 'ABORTED', outcome: 'INCONCLUSIVE' }],
    ['CRITICAL', { status: 'ROLLBACK_FAILED', outcome: 'INCONCLUSIVE' }],
  ] as const)('ends with the verdict, as %s for %o', (severity, verdict) => {
    const budget = { cluster: 'redis-master', name: 'rtoSeconds', limit: 15, measured: 16.5, met: false } as const;
    const notice = lastOf(run(['CONCLUDED', { ...verdict, budgets: [budget], reason: 'because' }]));
    expect(notice?.severity).toBe(severity);
    expect(notice?.subject).toBe(`${severity} Holdfast: ended ${ID}: ${verdict.status}, ${verdict.outcome}: because`);
    expect(notice?.body).toContain('NOT MET: rtoSeconds of redis-master 16.5, at most 15');
  });

  describe('of a schedule that was due', () => {
    const due = (details: Changes<EntryDetails['SCHEDULE_RUN']>, by: string = principalOf('weekly')) =>
      noticeOf({ ...entry('SCHEDULE_RUN', details), actor: { ...CALLER, arn: by } });
    const refused = { result: 'REFUSED', problem: problem('outside-window', 'not started: too late') } as const;

    it('tells that it was refused, and no person of what he was refused himself: he has the answer', () => {
      expect(due(refused)).toEqual({
        severity: 'WARNING',
        subject: 'WARNING Holdfast: refused weekly-20260602T080000Z: not started: too late',
        body: [
          'REFUSED: schedule weekly',
          'not started: too late',
          'Due at 2026-06-02T08:00:00Z',
          'Problem outside-window',
          'Nothing was started.',
          'To start it now: holdfast schedule run weekly',
        ].join('\n'),
      });
      for (const by of [CALLER.arn, principalOf('another')]) expect(due(refused, by)).toBeUndefined();
      expect(noticeOf(entry('REFUSED'))).toBeUndefined();
    });

    it('tells that it failed, and never that nothing was started then', () => {
      const failed = { result: 'FAILED', problem: problem('control-plane-unknown', 'no answer') } as const;
      const notice = due(failed);
      expect(notice).toMatchObject({ severity: 'WARNING', body: expect.stringMatching(/^FAILED: schedule weekly$/m) });
      expect(notice?.body).toContain('holdfast status weekly-20260602T080000Z');
      expect(notice?.body).not.toContain('Nothing was started');
      expect(due(failed, CALLER.arn)).toBeUndefined();
    });

    it('tells nothing of what was started, is wanted or waits', () => {
      for (const result of ['STARTED', 'PAUSED', 'PENDING_APPROVAL'] as const) expect(due({ result })).toBeUndefined();
    });
  });

  it('tells at once who engaged a kill switch and why, then only what failed of it, and who re-armed it', () => {
    const reason = 'checkout is down';
    expect(noticeOf(entry('KILL_SWITCH_ENGAGING', { cluster: undefined, reason }))).toMatchObject({
      severity: 'CRITICAL',
      subject: 'CRITICAL Holdfast: engaged kill switch: all clusters: checkout is down',
      body: expect.stringMatching(
        /^ENGAGED: kill switch of all clusters\n.*\nBy arn:aws:iam::111122223333:user\/ana\n/,
      ),
    });
    const steps = [
      { step: 'SWITCH', outcome: 'DONE', detail: 'no beat counts' },
      { step: 'HOSTS', outcome: 'FAILED', detail: 'redis-node-3: DEADLINE' },
    ] as const;
    expect(noticeOf(entry('KILL_SWITCH_ENGAGED', { steps: steps.slice(0, 1) }))).toBeUndefined();
    expect(noticeOf(entry('KILL_SWITCH_ENGAGED', { steps: [...steps] }))).toMatchObject({
      severity: 'CRITICAL',
      subject: 'CRITICAL Holdfast: failed kill switch: HOSTS: redis-node-3: DEADLINE',
    });
    expect(noticeOf(entry('KILL_SWITCH_RE_ARMING', { cluster: 'redis-master', reason }))).toMatchObject({
      severity: 'WARNING',
      subject: 'WARNING Holdfast: re-armed kill switch: redis-master: checkout is down',
    });
  });

  it('asks for an approval, and says until when', () => {
    const notice = noticeOf(entry('APPROVAL_REQUESTED'));
    expect(notice).toMatchObject({ severity: 'WARNING', subject: expect.stringContaining('waits for approval') });
    expect(notice?.body).toMatch(
      /^WAITS FOR APPROVAL: NETWORK_PARTITION on redis-node-3 \(redis-master\)\nuntil \d\d:/,
    );
    expect(notice?.body).toContain(`holdfast status ${ID}`);
  });

  it('is nothing for all other types of entries', () => {
    for (const type of ENTRY_TYPES.filter((one) => !TOLD_TYPES.includes(one)))
      expect(noticeOf(entry(type)), type).toBeUndefined();
    expect(TOLD_TYPES.length).toBeGreaterThan(5);
  });

  it('can be said of an entry alone, where the log cannot be read', () => {
    for (const each of fullRun()) {
      const notice = noticeOf(each);
      if (notice) expect(notice.subject).toContain(ID);
    }
    expect(noticeOf(entry('INJECTED'))?.body).toMatch(/^STARTED: redis-node-3\n/);
  });
});

describe('an announcement', () => {
  it('says when, for how long, by whom, and how to stop it', () => {
    expect(announcementOf(seedExperiment(), 'arn:aws:iam::1:user/ana', iso(300), 300)).toEqual({
      severity: 'INFO',
      subject: `INFO Holdfast: announced ${ID}: starts at 13:17:00 UTC, for 60 s`,
      body: [
        `ANNOUNCED: ${PLACE}`,
        'starts at 13:17:00 UTC, for 60 s',
        'By arn:aws:iam::1:user/ana',
        `Experiment ${ID}`,
        `To stop it: holdfast abort ${ID}`,
        `More: holdfast status ${ID}`,
      ].join('\n'),
    });
    expect(announcementOf(seedExperiment(), 'a', iso(0), 0).subject).toContain('starts now');
  });
});

describe('the text of a notice', () => {
  const anything = fc.oneof(fc.string({ unit: codePoint, maxLength: 400 }), fc.string({ maxLength: 400 }));

  it('has a subject that SNS takes, whatever it is made of', () => {
    fc.assert(
      fc.property(anything, (text) => {
        const subject = subjectOf(`INFO Holdfast: ${text}`);
        expect(subject).toMatch(/^[\x21-\x7e][\x20-\x7e]*$/);
        expect(subject.length).toBeLessThanOrEqual(MAX_SUBJECT_CHARACTERS);
      }),
    );
  });

  it('has a body of few short lines without control characters, far below what SNS takes', () => {
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 200 }), (lines) => {
        const body = bodyOf(['STARTED', ...lines]);
        expect(body.split('\n').length).toBeLessThanOrEqual(30);
        expect(body.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
        expect(Buffer.byteLength(body)).toBeLessThan(MAX_MESSAGE_BYTES / 4);
      }),
    );
  });

  it('lets no name reach another line or hide what stands behind it', () => {
    const hidden = seedExperiment();
    const [fault] = hidden.faults;
    if (!fault) throw new Error('the seed has a fault');
    const evil = { ...hidden, faults: [{ ...fault, cluster: 'a\nCONFIRMED\u202e' }] };
    const { body } = announcementOf(evil, 'x\r\ny', iso(0), 0);
    expect(body.split('\n')[0]).toBe('ANNOUNCED: NETWORK_PARTITION on redis-node-3 (a CONFIRMED )');
    expect(body).toContain('By x y');
  });

  it('says that lines were left out', () => {
    expect(
      bodyOf(Array.from({ length: 40 }, (_, line) => `line ${line}`))
        .split('\n')
        .at(-1),
    ).toBe('and more');
  });
});
