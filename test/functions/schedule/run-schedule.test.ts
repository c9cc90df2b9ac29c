import { describe, expect, it } from 'vitest';
import type { Caller } from '../../../functions/domain/experiment.ts';
import { problem } from '../../../functions/domain/problem.ts';
import { principalOf, type Schedules } from '../../../functions/domain/schedules.ts';
import { SCHEDULE_TURN_WAIT_MS } from '../../../functions/domain/timing.ts';
import {
  type RunScheduleDependencies,
  runSchedule,
  type StartAnswer,
} from '../../../functions/schedule/run-schedule.ts';
import { ScheduleLog } from '../../../functions/tables/schedule-log.ts';
import { CALLER, logOf } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

const AT = '2026-06-02T08:00:00Z';
const ID = 'weekly-20260602T080000Z';
const ITSELF: Caller = { arn: principalOf('weekly'), accountId: '111122223333', sourceIp: 'scheduler.amazonaws.com' };
const schedules: Schedules = {
  weekly: { expression: 'cron(0 10 ? * TUE *)', timeZone: 'UTC', experiment: { durationSeconds: 60 }, enabled: true },
};
const STARTED: StartAnswer = { status: 202, body: { experimentId: ID, status: 'INJECTED' } };
const refusedWith = (...given: Parameters<typeof problem>): StartAnswer => {
  const body = problem(...given);
  return { status: body.status, body };
};
const LOCKED = refusedWith('cluster-locked', 'not started: held by exp_other');
const UNKNOWN = refusedWith('control-plane-unknown', 'the start is in an unknown state');

/** A schedule whose starts are answered one after the other; the last answer is given again and again. */
function scheduled(...answers: (StartAnswer | Error)[]) {
  const audit = memoryAuditLog();
  const clock = new SimulatedClock();
  const owners = new Map<string, string>();
  const turns: RunScheduleDependencies['turns'] = {
    take: async (name, at, token) => {
      if (owners.has(name + at)) return false;
      owners.set(name + at, token);
      return true;
    },
    giveBack: async (name, at) => void owners.delete(name + at),
  };
  const scheduleLog = new ScheduleLog(audit);
  const asked: { body: unknown; caller: Caller }[] = [];
  const start = async (body: string, caller: Caller) => {
    asked.push({ body: JSON.parse(body), caller });
    const answer = answers[Math.min(asked.length, answers.length) - 1];
    if (!answer || answer instanceof Error) throw answer ?? new Error('no answer');
    return answer;
  };
  const deliver = (
    scheduledAt = AT,
    caller = ITSELF,
    log: Partial<ScheduleLog & RunScheduleDependencies['audit']> = {},
  ) =>
    runSchedule(
      { schedule: 'weekly', scheduledAt, caller },
      {
        ...{ schedules, start, turns, clock, ownerToken: `token-${asked.length}` },
        audit: { read: (id) => (log.read ?? audit.read)(id) },
        scheduleLog: {
          pauseOf: (name) => (log.pauseOf ?? scheduleLog.pauseOf.bind(scheduleLog))(name),
          endOf: (name, at) => (log.endOf ?? scheduleLog.endOf.bind(scheduleLog))(name, at),
          record: (run, by) => (log.record ?? scheduleLog.record.bind(scheduleLog))(run, by),
        },
      },
    );
  const results = () => audit.detailsOf('SCHEDULE_RUN').map(({ result }) => result);
  return { audit, scheduleLog, asked, clock, owners, deliver, results };
}

describe('a schedule that is due', () => {
  it('asks for its experiment under an id of its name and time, as itself, and writes that down', async () => {
    const { deliver, asked, audit } = scheduled(STARTED);
    const { run } = await deliver();
    expect(asked).toEqual([{ body: { durationSeconds: 60, experimentId: ID }, caller: ITSELF }]);
    expect(run).toEqual({ schedule: 'weekly', scheduledAt: AT, experimentId: ID, result: 'STARTED' });
    expect(audit.entries).toMatchObject([{ type: 'SCHEDULE_RUN', actor: { arn: 'schedule/weekly' }, details: run }]);
  });

  it('starts nothing for a second delivery of the same time, and is started for the next', async () => {
    const { deliver, asked, results } = scheduled(STARTED);
    await deliver();
    expect((await deliver()).run.result).toBe('STARTED');
    expect([asked.length, results()]).toEqual([1, ['STARTED']]);
    await deliver('2026-06-09T08:00:00Z');
    expect(asked).toHaveLength(2);
  });

  it('that was refused stays refused, though a second delivery would find the cluster free', async () => {
    const { deliver, asked, audit } = scheduled(LOCKED, STARTED);
    expect((await deliver()).run.result).toBe('REFUSED');
    const { run, answer } = await deliver();
    expect([run.result, answer, asked.length]).toEqual(['REFUSED', LOCKED, 1]);
    expect(audit.detailsOf('SCHEDULE_RUN')).toMatchObject([
      { result: 'REFUSED', problem: { type: 'urn:holdfast:problem:cluster-locked', detail: expect.any(String) } },
    ]);
  });

  it.each([
    ['what is not known', UNKNOWN],
    ['an error inside', refusedWith('internal-error', 'see the log')],
    ['what is no answer of ours', { status: 502, body: { message: 'Internal server error' } }],
    ['no answer at all', new Error('timed out')],
  ])('fails with %s, so that it is delivered again, and then is started', async (_what, first) => {
    const { deliver, asked, results } = scheduled(first, STARTED);
    await expect(deliver()).rejects.toThrow();
    expect(results()).toEqual(['FAILED']);
    expect((await deliver()).run.result).toBe('STARTED');
    expect([asked.length, results()]).toEqual([2, ['FAILED', 'STARTED']]);
  });

  it('fails where the log cannot take what came of it, also where nothing was decided', async () => {
    const away = {
      record: async () => {
        throw new Error('the log is away');
      },
    };
    for (const answer of [STARTED, LOCKED, UNKNOWN])
      await expect(scheduled(answer).deliver(AT, ITSELF, away)).rejects.toThrow();
  });

  it.each(['pauseOf', 'endOf'] as const)('starts nothing while %s cannot be read', async (part) => {
    const { deliver, asked } = scheduled(STARTED);
    const unread = { [part]: () => Promise.reject(new Error('not readable')) };
    await expect(deliver(AT, ITSELF, unread)).rejects.toThrow('not readable');
    expect(asked).toEqual([]);
  });

  it('fails when there is no such schedule, also one named like a built-in', async () => {
    const { scheduleLog, audit, clock } = scheduled(STARTED);
    for (const schedule of ['other', 'constructor'])
      await expect(
        runSchedule(
          { schedule, scheduledAt: AT, caller: ITSELF },
          {
            ...{ schedules, scheduleLog, audit, clock, ownerToken: 'token', start: async () => STARTED },
            turns: { take: () => Promise.reject(new Error('asked')), giveBack: async () => undefined },
          },
        ),
      ).rejects.toThrow(`no schedule ${schedule}`);
  });
});

describe('a time of a schedule that several ask for at once', () => {
  it('is asked for by one of them, and all are told what came of that', async () => {
    // The second start would be answered otherwise than the first.
    for (const answers of [
      [LOCKED, STARTED],
      [STARTED, LOCKED],
    ]) {
      const { deliver, asked, results, owners } = scheduled(...answers);
      const ends = await Promise.all([deliver(), deliver(), deliver(AT, CALLER)]);
      const expected = answers[0] === STARTED ? 'STARTED' : 'REFUSED';
      expect(ends.map(({ run }) => run.result)).toEqual([expected, expected, expected]);
      expect([asked.length, results()]).toEqual([1, [expected]]);
      expect([...owners]).toEqual([]);
    }
  });

  it('fails, so that it is delivered again, where the one whose turn it is comes to no end', async () => {
    const { deliver, asked, owners, clock, results } = scheduled(STARTED);
    owners.set(`weekly${AT}`, 'of one that died');
    await expect(deliver()).rejects.toThrow('somebody else asks for it');
    expect([asked.length, results(), clock.monotonicMs()]).toEqual([0, [], SCHEDULE_TURN_WAIT_MS]);
  });

  it('is free for the next one after a failure', async () => {
    const { deliver, owners } = scheduled(UNKNOWN, STARTED);
    await expect(deliver()).rejects.toThrow();
    expect([...owners]).toEqual([]);
    expect((await deliver()).run.result).toBe('STARTED');
  });
});

describe('a schedule whose experiment an earlier delivery has started without writing it down', () => {
  const KILLED = refusedWith('kill-switch-engaged', 'not started: the kill switch is engaged');
  const startedBefore = (...answers: StartAnswer[]) => {
    const given = scheduled(...answers);
    given.audit.entries.push(...logOf(ID, ['ADMITTED']));
    return given;
  };

  it.each([
    ['refused by now', KILLED],
    ['of which nobody knows', UNKNOWN],
  ])('is never said to have started nothing: %s', async (_what, answer) => {
    const { deliver, results } = startedBefore(answer);
    expect(await deliver()).toMatchObject({
      run: { result: 'STARTED' },
      answer: { status: 202, body: { experimentId: ID, status: 'ACCEPTED' } },
    });
    expect(results()).toEqual(['STARTED']);
  });

  it('fails where the log cannot say whether it was', async () => {
    const { deliver, audit } = startedBefore(KILLED);
    const away = { read: () => Promise.reject(new Error('throttled')) };
    await expect(deliver(AT, ITSELF, away)).rejects.toThrow('throttled');
    expect(audit.detailsOf('SCHEDULE_RUN')).toMatchObject([
      { result: 'FAILED', problem: { type: 'urn:holdfast:problem:control-plane-unknown' } },
    ]);
  });
});

describe('a schedule that a person runs on a cluster that asks for an approval', () => {
  it('is on record as waiting, not as started', async () => {
    const pending = { status: 202, body: { experimentId: ID, status: 'PENDING_APPROVAL' } };
    const { deliver, results } = scheduled(pending);
    expect(await deliver(AT, CALLER)).toMatchObject({ run: { result: 'PENDING_APPROVAL' }, answer: pending });
    expect(results()).toEqual(['PENDING_APPROVAL']);
  });
});

describe('a schedule that is paused', () => {
  it('starts nothing, whoever asks, until it is resumed; which time that was is on record', async () => {
    const { deliver, scheduleLog, asked, results } = scheduled(STARTED);
    await scheduleLog.pause('weekly', CALLER);
    const { answer } = await deliver();
    expect(answer).toMatchObject({ status: 409, body: { type: 'urn:holdfast:problem:schedule-paused' } });
    expect((await deliver('2026-06-02T09:30:00Z', CALLER)).answer.status).toBe(409);
    expect([asked.length, results()]).toEqual([0, ['PAUSED', 'PAUSED']]);

    await scheduleLog.resume('weekly', CALLER);
    await deliver('2026-06-09T08:00:00Z');
    expect([asked.length, results().at(-1)]).toEqual([1, 'STARTED']);
    // Who was told that it is paused, and resumed it, may ask again within that second.
    expect((await deliver('2026-06-02T09:30:00Z', CALLER)).run.result).toBe('STARTED');
    // Its time went by while it was paused.
    expect((await deliver()).run.result).toBe('PAUSED');
  });

  it('is found paused however often it came since', async () => {
    const { deliver, scheduleLog } = scheduled(STARTED);
    await scheduleLog.pause('weekly', CALLER);
    for (let day = 1; day <= 28; day += 1) await deliver(`2026-02-${String(day).padStart(2, '0')}T08:00:00Z`);
    expect(await scheduleLog.pauseOf('weekly')).toMatchObject({ by: CALLER.arn });
    expect(await scheduleLog.pauseOf('other')).toBeUndefined();
  });
});
