import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextTime, readExpression } from '../../../functions/domain/schedule-times.ts';
import { scheduleExpression } from '../../../lab/aws/services/scheduler-expression.ts';
import { MINUTE_MS, nearChange, ZONES } from './wall-clock.ts';

function next(expression: string, after: string, timeZone = 'UTC'): string {
  const read = readExpression(expression);
  if (!read.ok) throw new Error(read.message);
  const at = nextTime(read.timetable, timeZone, Date.parse(after));
  return at === undefined ? 'never' : new Date(at).toISOString().replace(':00.000Z', 'Z');
}
const refused = (expression: string) => {
  const read = readExpression(expression);
  return read.ok ? 'read' : read.message;
};

describe('the next time of a schedule', () => {
  it.each([
    ['cron(0 10 ? * TUE *)', '2026-06-01T00:00:00Z', '2026-06-02T10:00Z'],
    ['cron(0 10 ? * 3 *)', '2026-06-02T10:00:00Z', '2026-06-09T10:00Z'],
    ['cron(0/15 8-9 * * ? *)', '2026-06-01T09:45:00Z', '2026-06-02T08:00Z'],
    ['cron(30 6 1,15 JAN-MAR ? *)', '2026-03-15T06:30:00Z', '2027-01-01T06:30Z'],
    ['cron(0 0 L * ? *)', '2028-02-01T00:00:00Z', '2028-02-29T00:00Z'],
    ['cron(0 0 29 2 ? *)', '2096-03-01T00:00:00Z', '2104-02-29T00:00Z'],
    // The 15th of August 2026 is a Saturday, the 16th a Sunday; the first of August, too, is a Saturday.
    ['cron(0 9 15W 8 ? 2026)', '2026-01-01T00:00:00Z', '2026-08-14T09:00Z'],
    ['cron(0 9 16W 8 ? 2026)', '2026-01-01T00:00:00Z', '2026-08-17T09:00Z'],
    ['cron(0 9 1W 8 ? 2026)', '2026-01-01T00:00:00Z', '2026-08-03T09:00Z'],
    ['cron(0 9 ? * TUE#2 *)', '2026-06-01T00:00:00Z', '2026-06-09T09:00Z'],
    ['cron(0 9 ? * 6L *)', '2026-06-01T00:00:00Z', '2026-06-26T09:00Z'],
    ['cron(0 3 5 1 ? 2099)', '2026-06-01T00:00:00Z', '2099-01-05T03:00Z'],
    ['cron(0 3 5 1 ? 2025)', '2026-06-01T00:00:00Z', 'never'],
  ])('of %s after %s is %s', (expression, after, expected) => {
    expect(next(expression, after)).toBe(expected);
  });

  it('is at the same hour of the day in summer and in winter', () => {
    const daily = 'cron(0 10 * * ? *)';
    expect(next(daily, '2026-03-28T12:00:00Z', 'Europe/Berlin')).toBe('2026-03-29T08:00Z');
    expect(next(daily, '2026-10-24T12:00:00Z', 'Europe/Berlin')).toBe('2026-10-25T09:00Z');
  });

  it('leaves out a time that the clocks skip, and takes one that they show twice the first time only', () => {
    const daily = 'cron(30 2 * * ? *)';
    expect(next(daily, '2026-03-28T12:00:00Z', 'Europe/Berlin')).toBe('2026-03-30T00:30Z');
    expect(next(daily, '2026-10-24T12:00:00Z', 'Europe/Berlin')).toBe('2026-10-25T00:30Z');
    expect(next(daily, '2026-10-25T00:30:00Z', 'Europe/Berlin')).toBe('2026-10-26T01:30Z');
  });

  it('is the first minute in which a clock on the wall shows it, in any zone, around any change of its clocks', () => {
    const list = (min: number, max: number) =>
      fc.uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 3 }).map((values) => values.join(','));
    const weekdays = fc.subarray(['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'], { minLength: 4 });
    fc.assert(
      fc.property(
        fc.constantFrom(...ZONES).chain((zone) => fc.record({ zone: fc.constant(zone), after: nearChange(zone) })),
        ...([list(0, 59), fc.oneof(list(0, 23), fc.constant('*')), fc.option(weekdays)] as const),
        ({ zone, after }, minutes, hours, days) => {
          const expression = `cron(${minutes} ${hours} ${days ? `? * ${days.join(',')}` : '* * ?'} *)`;
          const read = readExpression(expression);
          if (!read.ok) throw new Error(read.message);
          const at = nextTime(read.timetable, zone, after);
          const { isDue } = scheduleExpression(expression, zone);
          const lastMinute = (at ?? Number.NaN) / MINUTE_MS;
          expect(isDue(lastMinute, 0), `${expression} ${zone}`).toBe(true);
          for (let minute = after / MINUTE_MS + 1; minute < lastMinute; minute += 1)
            if (isDue(minute, 0)) expect.fail(`${expression} ${zone}: ${new Date(minute * MINUTE_MS).toISOString()}`);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('an expression', () => {
  it.each([
    ['every day at ten', /^cron\(minutes hours/],
    ['at(2026-06-01T10:00:00)', /^cron\(minutes hours/],
    ['cron(0 10 * * ?)', /six fields/],
    ['cron(0  10 * * ? *)', /six fields/],
    ['cron(0 10 * * * *)', /exactly one of day of month and day of week is \?/],
    ['cron(0 10 ? * ? *)', /exactly one of/],
    ['cron(60 10 * * ? *)', /minutes is "60"; allowed: 0-59/],
    ['cron(0 24 * * ? *)', /hours is "24"/],
    ['cron(0 10 0 * ? *)', /day of month is "0"/],
    ['cron(0 10 * 13 ? *)', /month is "13"; allowed: 1-12 or JAN-DEC/],
    ['cron(0 10 ? * 0 *)', /day of week is "0"; allowed: 1-7 or SUN-SAT/],
    ['cron(0 10 ? * FRI-MON *)', /day of week is "FRI-MON"/],
    ['cron(0 10 ? * TUE#6 *)', /day of week is "TUE#6"/],
    ['cron(0 10 32W * ? *)', /day of month is "32"/],
    ['cron(0 10 30,31 FEB ? *)', /day of month is "30,31", which none of its months has/],
    ['cron(0 10 31W 2,4,6 ? *)', /day of month is "31W", which none/],
    ['cron(0 10 * * ? 1969)', /year is "1969"/],
    ['cron(0/0 10 * * ? *)', /minutes is "0\/0"/],
    ['cron(*-5 10 * * ? *)', /minutes is/],
    ['cron(1-2-3 10 * * ? *)', /minutes is/],
    ['cron(, 10 * * ? *)', /minutes is/],
    ['rate(1 days)', /^rate: one number/],
    ['rate(2 day)', /^rate: one number/],
    ['rate(0 days)', /^rate: one number/],
    ['rate(1 week)', /^rate: one number/],
    ['rate(30 seconds)', /^rate: one number/],
  ])('is refused, and its field named: %s', (expression, words) => {
    expect(refused(expression)).toMatch(words);
  });

  it('is read or refused in words, whatever it is', () => {
    const field = fc.oneof(
      fc.constantFrom('*', '?', 'L', '0', '5', '31W', 'TUE#2', '6L', '1-5', '*/7', ',', 'x'),
      fc.string(),
    );
    const cron = fc.array(field, { minLength: 5, maxLength: 7 }).map((fields) => `cron(${fields.join(' ')})`);
    fc.assert(
      fc.property(fc.oneof(fc.string(), cron), (expression) => {
        const read = readExpression(expression);
        if (!read.ok) expect(read.message).not.toBe('');
        else if (read.timetable.kind === 'CRON') expect(read.timetable.minutes.length).toBeGreaterThan(0);
      }),
    );
  });

  it('may be a rate, of which only AWS knows when it began', () => {
    expect(readExpression('rate(1 day)')).toEqual({ ok: true, timetable: { kind: 'RATE', everyMs: 86_400_000 } });
    expect(next('rate(90 minutes)', '2026-06-01T00:00:00Z')).toBe('never');
  });
});
