import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openUntil, type Window, windowSchema } from '../../../functions/domain/window.ts';
import { clockReads, furthestReading, MINUTE_MS, nearChange, ZONES } from './wall-clock.ts';

const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] as const;
const at = (iso: string) => Date.parse(iso);
const closing = (window: Partial<Window>, iso: string) => {
  const every = { daysOfWeek: [...DAYS], timeZone: 'UTC', start: '09:00', end: '17:00' };
  const until = openUntil({ ...every, ...window }, at(iso));
  return until === undefined ? 'closed' : new Date(until).toISOString();
};

describe('a window', () => {
  it('opens at its start and is closed at its end', () => {
    expect(closing({}, '2026-06-01T08:59:59Z')).toBe('closed');
    expect(closing({}, '2026-06-01T09:00:00Z')).toBe('2026-06-01T17:00:00.000Z');
    expect(closing({}, '2026-06-01T16:59:59Z')).toBe('2026-06-01T17:00:00.000Z');
    expect(closing({}, '2026-06-01T17:00:00Z')).toBe('closed');
  });

  it('is that of its own time zone, in summer as in winter', () => {
    const berlin = { timeZone: 'Europe/Berlin' };
    expect(closing(berlin, '2026-06-01T07:00:00Z')).toBe('2026-06-01T15:00:00.000Z');
    expect(closing(berlin, '2026-01-05T07:00:00Z')).toBe('closed');
    expect(closing(berlin, '2026-01-05T08:00:00Z')).toBe('2026-01-05T16:00:00.000Z');
  });

  it('goes over midnight into the day after, whichever day that is', () => {
    const night: Partial<Window> = { daysOfWeek: ['FRI'], start: '22:00', end: '02:00' };
    expect(closing(night, '2026-06-05T23:00:00Z')).toBe('2026-06-06T02:00:00.000Z');
    expect(closing(night, '2026-06-06T01:59:00Z')).toBe('2026-06-06T02:00:00.000Z');
    expect(closing(night, '2026-06-05T01:00:00Z')).toBe('closed');
    expect(closing(night, '2026-06-06T22:30:00Z')).toBe('closed');
  });

  it('does not end at midnight where the next day goes on', () => {
    const whole: Partial<Window> = { daysOfWeek: ['MON', 'TUE'], start: '00:00', end: '24:00' };
    expect(closing(whole, '2026-06-01T23:59:00Z')).toBe('2026-06-03T00:00:00.000Z');
  });

  it('closes the first time that a clock shows its end, and does not open again in the same night', () => {
    // On 25 October 2026 it is 02:30 twice in Berlin: at 00:30 and at 01:30 UTC.
    const night = { timeZone: 'Europe/Berlin', start: '01:00', end: '02:30' };
    expect(closing(night, '2026-10-25T00:15:00Z')).toBe('2026-10-25T00:30:00.000Z');
    expect(closing(night, '2026-10-25T01:15:00Z')).toBe('closed');
  });

  it('opens when a start that the clocks skip is over, and is closed with an end that they skip', () => {
    // On 29 March 2026 Berlin goes from 02:00 to 03:00, at 01:00 UTC.
    const zone = { timeZone: 'Europe/Berlin' };
    expect(closing({ ...zone, start: '02:30', end: '04:00' }, '2026-03-29T00:59:59Z')).toBe('closed');
    expect(closing({ ...zone, start: '02:30', end: '04:00' }, '2026-03-29T01:00:00Z')).toBe('2026-03-29T02:00:00.000Z');
    expect(closing({ ...zone, start: '01:00', end: '02:30' }, '2026-03-29T00:59:59Z')).toBe('2026-03-29T01:00:00.000Z');
  });

  it('is open exactly while the furthest that a clock has gone lies in it, in any zone, around any change of its clocks', () => {
    const minutes = fc.integer({ min: 0, max: 1439 });
    const clockTime = (minute: number) => new Date(minute * MINUTE_MS).toISOString().slice(11, 16);
    fc.assert(
      fc.property(
        fc.constantFrom(...ZONES).chain((zone) => fc.record({ zone: fc.constant(zone), now: nearChange(zone) })),
        ...([minutes, minutes, fc.subarray([...DAYS], { minLength: 1, maxLength: 6 })] as const),
        ({ zone, now }, from, to, daysOfWeek) => {
          fc.pre(from !== to);
          const window = { daysOfWeek, start: clockTime(from), end: clockTime(to), timeZone: zone };
          const isOpen = (epochMs: number) => {
            const furthest = furthestReading(zone, epochMs);
            // Each day on which it may have begun, by nothing but texts: those of one form are in the order of time.
            return [-1, 0, 1].some((daysAgo) => {
              const day = new Date(
                Date.parse(`${clockReads(zone, epochMs).slice(0, 10)}T00:00Z`) - daysAgo * 1440 * MINUTE_MS,
              );
              const text = (date: Date) => date.toISOString().slice(0, 10);
              const ends = to < from ? new Date(day.getTime() + 1440 * MINUTE_MS) : day;
              const name = DAYS[day.getUTCDay()];
              return (
                name !== undefined &&
                daysOfWeek.includes(name) &&
                furthest >= `${text(day)} ${window.start}` &&
                furthest < `${text(ends)} ${window.end}`
              );
            });
          };
          const until = openUntil(window, now);
          expect(until !== undefined).toBe(isOpen(now));
          if (until === undefined) return;
          expect(isOpen(until)).toBe(false);
          expect(isOpen(until - MINUTE_MS)).toBe(true);
        },
      ),
    );
  });
});

describe('the fields of a window', () => {
  const window = { daysOfWeek: ['MON'], start: '09:00', end: '17:00' };
  const wrong = (change: object) =>
    windowSchema
      .safeParse({ ...window, ...change })
      .error?.issues.map(({ path, message }) => [path.join('.'), message]);

  it('are UTC where no zone is said', () => {
    expect(windowSchema.parse(window).timeZone).toBe('UTC');
  });

  it.each([
    ['a day without an hour', { start: '9:00' }, 'start'],
    ['an hour that is none', { end: '24:01' }, 'end'],
    ['an end at its start', { end: '09:00' }, 'end'],
    ['no day', { daysOfWeek: [] }, 'daysOfWeek'],
    ['a zone that is none', { timeZone: 'Europe/Dubin' }, 'timeZone'],
    ['a zone in another case, which other databases do not know', { timeZone: 'europe/berlin' }, 'timeZone'],
    ['an offset, which has no summer', { timeZone: '+01:00' }, 'timeZone'],
  ])('are refused by name with %s', (_what, change, field) => {
    expect(wrong(change)?.map(([path]) => path)).toEqual([field]);
  });

  it('may be those of a zone that has another name now', () => {
    for (const timeZone of ['Asia/Calcutta', 'Asia/Kolkata', 'UTC', 'Etc/UTC', 'America/Argentina/Buenos_Aires'])
      expect(wrong({ timeZone })).toBeUndefined();
  });

  it('of whole hours in UTC, as they once were, are named', () => {
    expect(JSON.stringify(wrong({ startHourUtc: 9, endHourUtc: 15 }))).toContain('startHourUtc');
  });
});
