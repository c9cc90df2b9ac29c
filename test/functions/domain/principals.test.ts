import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hoursOf, principalsSchema, refuseByRights } from '../../../functions/domain/principals.ts';

const ARN = 'arn:aws:iam::111122223333:user/ana';
const wish = {
  arn: ARN,
  cluster: 'orders',
  kinds: ['NETWORK_LOSS'],
  durationSeconds: 60,
  beginsWithinSeconds: 0,
  nowEpochMs: Date.parse('2026-05-29T12:00:00Z'),
};
const table = (...rows: object[]) => principalsSchema.parse(rows);

describe('rights per principal', () => {
  it('are everything without a table, and everything where a row leaves it out', () => {
    expect(refuseByRights(undefined, wish)).toEqual([]);
    expect(refuseByRights(table({ principal: ARN }), wish)).toEqual([]);
  });

  it('are nothing for a principal that matches no row, and the rows are named', () => {
    const rows = table({ principal: 'arn:aws:iam::111122223333:user/ben' }, { principal: 'schedule/nightly' });
    expect(refuseByRights(rows, wish)).toEqual([
      {
        field: 'principal',
        message: `${ARN} matches no row of principals`,
        allowed: 'arn:aws:iam::111122223333:user/ben, schedule/nightly',
      },
    ]);
    expect(refuseByRights(rows, { ...wish, arn: 'schedule/nightly' })).toEqual([]);
    expect(refuseByRights(rows, { ...wish, arn: 'schedule/weekly' })).toHaveLength(1);
  });

  it('refuse cluster, kind and TTL beyond the row, each by its field with what is allowed', () => {
    const row = { principal: ARN, clusters: ['cache'], faults: ['CPU_SPIKE'], maxTtlSeconds: 30 };
    expect(refuseByRights(table(row), wish).map(({ field, allowed }) => [field, allowed])).toEqual([
      ['targetService', 'cache'],
      ['action', 'CPU_SPIKE'],
      ['durationSeconds', 'at most 30'],
    ]);
    expect(
      refuseByRights(table(row), { ...wish, cluster: 'cache', kinds: ['CPU_SPIKE'], durationSeconds: 30 }),
    ).toEqual([]);
  });

  it('refuse what would not be over within the hours of the row', () => {
    const rows = (end: string) => table({ principal: ARN, window: { daysOfWeek: ['FRI'], start: '11:00', end } });
    expect(refuseByRights(rows('12:01'), wish)).toEqual([]);
    expect(refuseByRights(rows('12:01'), { ...wish, durationSeconds: 61 })).toMatchObject([{ field: 'window' }]);
    expect(refuseByRights(rows('12:00'), wish)).toEqual([
      { field: 'window', message: `these are not the hours of ${ARN}`, allowed: 'FRI from 11:00 to 12:00 UTC' },
    ]);
    const late = { ...wish, beginsWithinSeconds: 30 };
    expect(refuseByRights(rows('12:02'), { ...late, durationSeconds: 90 })).toEqual([]);
    expect(refuseByRights(rows('12:02'), { ...late, durationSeconds: 91 })).toEqual([
      {
        field: 'window',
        message: `the hours of ${ARN} end at 2026-05-29T12:02:00.000Z, and the fault may live for the next 121 s`,
        allowed: 'FRI from 11:00 to 12:02 UTC',
      },
    ]);
  });

  it('say until when they allow it: the longest of the rows that do, and no time where one names no hours', () => {
    const row = (end: string, more = {}) => ({
      ...{ principal: ARN, window: { daysOfWeek: ['FRI'], start: '11:00', end } },
      ...more,
    });
    const rows = [row('13:00'), row('14:00'), row('15:00', { maxTtlSeconds: 59 })];
    expect(hoursOf(table(...rows), wish)?.at).toBe('2026-05-29T14:00:00.000Z');
    expect(hoursOf(table(...rows, { principal: ARN }), wish)).toBeUndefined();
    expect(hoursOf(undefined, wish)).toBeUndefined();
    // Nobody allows it: it is over already.
    expect(hoursOf(table(row('12:00')), wish)?.at).toBe('1970-01-01T00:00:00.000Z');
  });

  it('of several rows do not add up: one must allow all of it, and the nearest one speaks', () => {
    const rows = table(
      { principal: ARN, clusters: ['orders'], faults: ['CPU_SPIKE'], maxTtlSeconds: 10 },
      { principal: 'arn:aws:iam::111122223333:*', clusters: ['orders'], faults: ['NETWORK_LOSS'], maxTtlSeconds: 30 },
    );
    expect(refuseByRights(rows, wish).map(({ field, allowed }) => [field, allowed])).toEqual([
      ['durationSeconds', 'at most 30'],
    ]);
    expect(refuseByRights(rows, { ...wish, durationSeconds: 30 })).toEqual([]);
  });

  it.each([
    ['arn:aws:iam::111122223333:role/sre', true],
    ['arn:aws:iam::111122223333:role/team/path/sre', true],
    ['arn:aws:iam::111122223333:role/s*', true],
    ['arn:aws:sts::111122223333:assumed-role/sre/ana', true],
    ['arn:aws:sts::111122223333:assumed-role/sre/*', true],
    ['arn:aws:iam::*:role/sre', true],
    ['arn:aws:iam::111122223333:role/sre2', false],
    ['arn:aws:iam::999922223333:role/sre', false],
    ['arn:aws:sts::111122223333:assumed-role/sre/ben', false],
    ['arn:aws:iam::111122223333:role/team', false],
    ['arn:*:role/sre', false],
  ])('know a session by the pattern %s: %s', (principal, isKnown) => {
    const arn = 'arn:aws:sts::111122223333:assumed-role/sre/ana';
    expect(refuseByRights(principalsSchema.safeParse([{ principal }]).data ?? [], { ...wish, arn }).length === 0).toBe(
      isKnown,
    );
  });

  it.each([
    ['arn:aws:iam::111122223333:role/team/*', false],
    ['arn:aws:iam::111122223333:role/*/sre', false],
    ['arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Oncall_*', true],
    ['arn:aws:iam::111122223333:role/*', true],
    ['role/sre', false],
    ['*', false],
  ])('may hold the pattern %s: %s, since a path cannot be told from a session', (principal, isAllowed) => {
    expect(principalsSchema.safeParse([{ principal }]).success).toBe(isAllowed);
  });

  it('take nothing in a pattern for more than it says: what has no wildcard matches itself alone', () => {
    const arn = fc.stringMatching(/^arn:aws:iam::\d{12}:user\/[a-zA-Z0-9+=,.@_-]{1,12}$/);
    fc.assert(
      fc.property(arn, arn, (one, other) => {
        expect(refuseByRights(table({ principal: one }), { ...wish, arn: one })).toEqual([]);
        if (one !== other) expect(refuseByRights(table({ principal: one }), { ...wish, arn: other })).toHaveLength(1);
      }),
    );
  });
});
