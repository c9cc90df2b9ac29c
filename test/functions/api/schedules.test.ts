import { describe, expect, it } from 'vitest';
import { type ListSchedulesDependencies, listSchedules } from '../../../functions/api/list-schedules.ts';
import { pauseSchedule } from '../../../functions/api/pause-schedule.ts';
import { runScheduleNow } from '../../../functions/api/run-schedule.ts';
import { withSchedule } from '../../../functions/api/schedule-answer.ts';
import type { ScheduleRun } from '../../../functions/domain/audit-entry.ts';
import { problem } from '../../../functions/domain/problem.ts';
import { principalOf, type ScheduleEvent, type Schedules } from '../../../functions/domain/schedules.ts';
import { ScheduleLog } from '../../../functions/tables/schedule-log.ts';
import { CALLER, fullRun, logOf } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

const NOW = '2026-06-01T12:00:00Z';
const common = { timeZone: 'Europe/Berlin', experiment: {}, enabled: true };
const schedules: Schedules = {
  weekly: { ...common, expression: 'cron(0 10 ? * TUE *)' },
  hourly: { ...common, expression: 'rate(1 hour)' },
  off: { ...common, expression: 'cron(0 10 ? * TUE *)', enabled: false },
};
const itself = (name: string) => ({ ...CALLER, arn: principalOf(name) });

function world() {
  const clock = new SimulatedClock(Date.parse(NOW));
  const audit = memoryAuditLog({ clock, entries: fullRun({ CONCLUDED: {} }) });
  const scheduleLog = new ScheduleLog(audit);
  const list = async () => {
    const { body } = (await listSchedules({ schedules, audit, clock })) as { body: { schedules: Row[] } };
    return Object.fromEntries(body.schedules.map((row) => [row.schedule, row]));
  };
  const ran = (schedule: string, scheduledAt: string, change: Partial<ScheduleRun> = {}, by = itself(schedule)) => {
    const run = { schedule, scheduledAt, experimentId: 'exp_chaos_redis_019', result: 'STARTED' as const, ...change };
    return scheduleLog.record(run, by);
  };
  return { clock, audit, scheduleLog, list, ran };
}
interface Row {
  schedule: string;
  nextAt: string | null;
  lastRun: object | null;
}

describe('GET of the schedules', () => {
  it('shows when each comes next in its own time zone, and nothing of one that does not come by itself', async () => {
    const { list } = world();
    expect(await list()).toMatchObject({
      weekly: { state: 'ENABLED', nextAt: '2026-06-02T08:00:00.000Z', lastRun: null },
      hourly: { state: 'ENABLED', nextAt: null, lastRun: null },
      off: { state: 'DISABLED', nextAt: null },
    });
  });

  it('shows how the last one ended, or why it was not started', async () => {
    const { list, ran } = world();
    await ran('weekly', '2026-05-26T08:00:00Z');
    expect((await list()).weekly).toMatchObject({
      lastRun: { result: 'STARTED', status: 'COMPLETED', outcome: 'CONFIRMED', by: 'schedule/weekly' },
    });
    await ran('weekly', '2026-06-02T08:00:00Z', {
      result: 'REFUSED',
      problem: problem('cluster-locked', 'held by exp_x'),
    });
    expect((await list()).weekly).toMatchObject({
      lastRun: { result: 'REFUSED', problem: { detail: 'held by exp_x' } },
    });
  });

  it('shows all others where one log cannot be read, and of that one why', async () => {
    const { audit, clock, ran } = world();
    await ran('weekly', '2026-05-26T08:00:00Z');
    await ran('hourly', '2026-06-01T11:00:00Z', { experimentId: 'hourly-1' });
    const listWith = async (broken: string) => {
      const unread = async (id: string) => {
        if (id.includes(broken)) throw new Error('entry 3 is no entry');
      };
      const part: ListSchedulesDependencies['audit'] = {
        read: (id) => unread(id).then(() => audit.read(id)),
        latest: (id, most) => unread(id).then(() => audit.latest(id, most)),
      };
      const { body } = (await listSchedules({ schedules, audit: part, clock })) as { body: { schedules: Row[] } };
      return Object.fromEntries(body.schedules.map((row) => [row.schedule, row]));
    };
    const reason = expect.stringContaining('entry 3 is no entry');
    expect(await listWith('exp_chaos_redis_019')).toMatchObject({
      weekly: {
        state: 'ENABLED',
        nextAt: expect.any(String),
        lastRun: { result: 'STARTED', status: 'UNKNOWN', reason },
      },
      hourly: { lastRun: { result: 'STARTED', status: 'ACCEPTED' } },
    });
    expect(await listWith('#weekly')).toMatchObject({
      weekly: { state: 'UNKNOWN', reason, nextAt: null, lastRun: null },
      hourly: { state: 'ENABLED' },
      off: { state: 'DISABLED' },
    });
  });

  it('shows how it stands what a person asked for and another one has to approve', async () => {
    const { audit, list, ran } = world();
    const experimentId = 'weekly-20260601T120000Z';
    audit.entries.push(...logOf(experimentId, ['APPROVAL_REQUESTED', { expiresAt: '2026-06-01T13:00:00.000Z' }]));
    await ran('weekly', NOW, { experimentId, result: 'PENDING_APPROVAL' }, CALLER);
    expect((await list()).weekly).toMatchObject({
      lastRun: { result: 'PENDING_APPROVAL', status: 'PENDING_APPROVAL' },
    });
  });

  it('counts the next time of a rate from its last own one, not from one that somebody asked for', async () => {
    const { list, ran } = world();
    await ran('hourly', '2026-06-01T09:20:00Z');
    await ran('hourly', '2026-06-01T11:55:00Z', {}, CALLER);
    expect((await list()).hourly).toMatchObject({ nextAt: '2026-06-01T12:20:00.000Z', lastRun: { by: CALLER.arn } });
  });

  it('says who paused it, and no next time until it is resumed', async () => {
    const { list, scheduleLog } = world();
    await pauseSchedule('weekly', true, CALLER, scheduleLog);
    expect((await list()).weekly).toMatchObject({ state: 'PAUSED', pausedBy: CALLER.arn, nextAt: null });
    await pauseSchedule('weekly', false, CALLER, scheduleLog);
    expect((await list()).weekly).toMatchObject({ state: 'ENABLED', nextAt: expect.any(String) });
  });
});

describe('POST to a schedule', () => {
  it('pauses and resumes, each once however often it is asked, with who did in the log', async () => {
    const { scheduleLog, audit } = world();
    const before = audit.entries.length;
    for (const paused of [true, true, false, false]) {
      const answer = await pauseSchedule('weekly', paused, CALLER, scheduleLog);
      expect(answer).toEqual({ status: 200, body: { schedule: 'weekly', paused } });
    }
    const written = audit.entries.slice(before).map(({ type, actor }) => [type, 'arn' in actor && actor.arn]);
    expect(written).toEqual([
      ['SCHEDULE_PAUSED', CALLER.arn],
      ['SCHEDULE_RESUMED', CALLER.arn],
    ]);
  });

  it('runs it for the time of the call in the name of the caller, and passes on what the start answers', async () => {
    const asked: ScheduleEvent[] = [];
    const run = async (event: ScheduleEvent) => {
      asked.push(event);
      return { status: 409, body: { type: 'x' } };
    };
    const { clock } = world();
    clock.advance(250);
    expect(await runScheduleNow('weekly', CALLER, { clock, run })).toEqual({ status: 409, body: { type: 'x' } });
    expect(asked).toEqual([{ schedule: 'weekly', scheduledAt: NOW, caller: CALLER }]);
  });

  it('says under which id to look where nobody knows what became of it', async () => {
    const run = async () => {
      throw new Error('timed out');
    };
    const { clock } = world();
    expect(await runScheduleNow('weekly', CALLER, { clock, run })).toMatchObject({
      status: 503,
      body: { type: 'urn:holdfast:problem:control-plane-unknown', experimentId: 'weekly-20260601T120000Z' },
    });
  });

  it('answers 404 for one that is not configured, also one named like a built-in, and does nothing', async () => {
    const handled: string[] = [];
    const ask = (scheduleName: string) =>
      withSchedule({ pathParameters: { scheduleName } }, schedules, async (name) => {
        handled.push(name);
        return { status: 200, body: {} };
      });
    for (const name of ['other', 'constructor', '', 'x'.repeat(9000)])
      expect(await ask(name)).toMatchObject({ status: 404, body: { type: 'urn:holdfast:problem:schedule-not-found' } });
    expect((await ask('weekly')).status).toBe(200);
    expect(handled).toEqual(['weekly']);
  });
});
