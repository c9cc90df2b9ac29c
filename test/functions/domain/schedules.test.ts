import { describe, expect, it } from 'vitest';
import { parseExperiment } from '../../../functions/domain/parse-experiment.ts';
import { bodyAt, experimentIdAt, scheduleEventSchema } from '../../../functions/domain/schedules.ts';
import { configuration } from './configuration-fixtures.ts';
import { seedPayload } from './experiment-fixtures.ts';

const { experimentId: _, ...experiment } = seedPayload() as Record<string, unknown>;
const WEEKLY = { expression: 'cron(0 10 ? * TUE *)', timeZone: 'Europe/Berlin', experiment };
const parse = (schedules: unknown) => configuration({}, {}, {}, { schedules });
const problems = (schedules: unknown): string => {
  try {
    parse(schedules);
    return 'none';
  } catch (error) {
    return String(error);
  }
};
const changed = (change: object, name = 'weekly') => ({ [name]: { ...WEEKLY, ...change } });

describe('schedules of a configuration', () => {
  it('are enabled and in UTC where nothing else is said, and none where there are none', () => {
    const { timeZone: _zone, ...silent } = WEEKLY;
    expect(parse({ weekly: silent }).schedules.weekly).toMatchObject({ timeZone: 'UTC', enabled: true });
    expect(configuration().schedules).toEqual({});
  });

  it.each<[string, unknown, RegExp]>([
    ['an expression that is none', changed({ expression: 'daily' }), /schedules\.weekly\.expression: cron\(minutes/],
    [
      'a day that no month has',
      changed({ expression: 'cron(0 1 30 2 ? *)' }),
      /weekly\.expression: cron: day of month is "30", which none/,
    ],
    ['a zone that is none', changed({ timeZone: 'Berlin' }), /schedules\.weekly\.timeZone: is no time zone/],
    ['a name that makes no id', changed({}, 'every week'), /schedules\.every week/],
    ['a name with which the id would be too long', changed({}, 'x'.repeat(33)), /schedules\.x+/],
    ['an id', changed({ experiment: seedPayload() }), /weekly\.experiment\.experimentId: is made of the name/],
    [
      'a duration beyond the cluster’s',
      changed({ experiment: { ...experiment, durationSeconds: 601 } }),
      /weekly\.experiment\.durationSeconds: .*\(allowed: .*600/,
    ],
    [
      'a field that is unknown',
      changed({ experiment: { ...experiment, colour: 'red' } }),
      /weekly\.experiment\.colour: is not a known field/,
    ],
    [
      'a parameter that is none',
      changed({ experiment: { ...experiment, parameters: { latencyMs: -1 } } }),
      /weekly\.experiment\.parameters\.latencyMs: /,
    ],
    [
      'a cluster that is not configured',
      changed({ experiment: { ...experiment, targetService: 'orders' } }),
      /weekly\.experiment\.targetService: orders is no cluster/,
    ],
    [
      'an approval without an end',
      changed({ standingApproval: { by: 'arn:aws:iam::1:role/x' } }),
      /standingApproval\.until/,
    ],
    ['an approval by nobody', changed({ standingApproval: { by: 'me', until: '2027-01-31' } }), /standingApproval\.by/],
    ['a field of its own that is unknown', changed({ timezone: 'UTC' }), /schedules\.weekly: .*timezone/],
  ])('are refused with %s, and the field is named', (_what, schedules, words) => {
    expect(problems(schedules)).toMatch(words);
  });
});

describe('a schedule that could never start by itself', () => {
  const refusals = (schedule: object, deployment: object, cluster: Record<string, unknown> = {}): string => {
    try {
      configuration(cluster, {}, {}, { schedules: { weekly: { ...WEEKLY, ...schedule } }, ...deployment });
      return 'none';
    } catch (error) {
      return String(error);
    }
  };
  const row = (change: object) => ({ principals: [{ principal: 'schedule/weekly', ...change }] });
  const approval = { approval: { expiresMinutes: 60 } };
  const standingApproval = { by: 'arn:aws:iam::111122223333:role/lead', until: '2027-01-31', hash: 'unknown' };

  it('is refused where principals have no row for it, or one that allows less', () => {
    const others = { principals: [{ principal: 'arn:aws:iam::111122223333:role/lead' }] };
    expect(refusals({}, others)).toMatch(
      /schedules\.weekly\.experiment: schedule\/weekly matches no row of principals/,
    );
    expect(refusals({}, row({ clusters: ['orders'] }))).toMatch(/weekly\.experiment\.targetService: .*allowed: orders/);
    expect(refusals({}, row({ faults: ['CPU_SPIKE'] }))).toMatch(/weekly\.experiment\.action: .*allowed: CPU_SPIKE/);
    expect(refusals({}, row({ maxTtlSeconds: 5 }))).toMatch(/weekly\.experiment\.durationSeconds: .*at most 5/);
  });

  it('is refused without a standing approval where its cluster asks for an approval', () => {
    expect(refusals({}, {}, approval)).toMatch(/schedules\.weekly\.standingApproval: redis-master asks/);
    expect(refusals({ standingApproval }, {}, {})).toBe('none');
  });

  it('is refused with an approval of another experiment, and the hash is said that the right one would have', () => {
    const [, hash] = /weekly\.standingApproval\.hash: .*allowed: ([0-9a-f]{64})/.exec(
      refusals({ standingApproval }, {}, approval),
    ) ?? ['', ''];
    const approved = { standingApproval: { ...standingApproval, hash } };
    expect(refusals(approved, {}, approval)).toBe('none');
    const longer = { experiment: { ...WEEKLY.experiment, durationSeconds: 11 } };
    expect(refusals({ ...approved, ...longer }, {}, approval)).toContain('standingApproval.hash');
  });

  it('is taken at whatever hours it may, and where only people start it', () => {
    expect(refusals({}, row({ window: { daysOfWeek: ['TUE'], start: '10:00', end: '11:00' } }))).toBe('none');
    const others = { principals: [{ principal: 'arn:aws:iam::111122223333:role/lead' }] };
    expect(refusals({ enabled: false }, others, approval)).toBe('none');
  });
});

describe('a time of a schedule', () => {
  it('has one id, whichever delivery it is, that an experiment may have: the longest name too', () => {
    const name = 'x'.repeat(32);
    const at = '2026-06-02T08:00:00Z';
    expect(experimentIdAt('weekly', at)).toBe('weekly-20260602T080000Z');
    const parsed = parseExperiment(bodyAt(name, { experiment }, at), configuration().clusters);
    expect(parsed).toMatchObject({ ok: true, experiment: { experimentId: experimentIdAt(name, at) } });
  });

  it('is read in UTC and whole seconds only: another form of the same time would be another id', () => {
    const read = (scheduledAt: string) => scheduleEventSchema.safeParse({ schedule: 'weekly', scheduledAt }).success;
    expect(read('2026-06-02T08:00:00Z')).toBe(true);
    for (const other of ['2026-06-02T08:00:00.000Z', '2026-06-02T10:00:00+02:00', '2026-06-02', 'x'])
      expect(read(other), other).toBe(false);
  });
});
