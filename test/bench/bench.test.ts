import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firstBreach, lastRise } from '../../bench/breach.ts';
import { costOf, usageBetween } from '../../bench/prices.ts';
import { renderReport } from '../../bench/report.ts';
import { summarize } from '../../cli/statistics/distribution.ts';
import { firstTime } from '../../lab/fleet/observe.ts';

describe('statistics', () => {
  test('every number of a summary was measured, and they are in order', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }), (values) => {
        const { n, min, p50, p90, max } = summarize(values);
        expect(n).toBe(values.length);
        for (const value of [min, p50, p90, max]) expect(values).toContain(value);
        expect(min <= p50 && p50 <= p90 && p90 <= max).toBe(true);
        expect([min, max]).toEqual([values.toSorted((a, b) => a - b)[0], values.toSorted((a, b) => a - b).at(-1)]);
      }),
    );
    expect(summarize([10, 9, 8, 7, 6, 5, 4, 3, 2, 1])).toEqual({ n: 10, min: 1, p50: 5, p90: 9, max: 10 });
  });

  test('nothing measured is an error and not a zero', () => {
    expect(() => summarize([])).toThrow('no measurements');
    expect(() => summarize([1, Number.NaN])).toThrow('not a number');
  });
});

describe('the last error', () => {
  test('is where a counter rose last, and nowhere when it never did', () => {
    const sample = (at: number, value: number) => [at, String(value)] as const;
    expect(lastRise([sample(1, 5), sample(2, 7), sample(3, 7), sample(4, 8), sample(5, 8)])).toBe(4000);
    expect(lastRise([sample(1, 5), sample(2, 5)])).toBeUndefined();
    expect(lastRise([])).toBeUndefined();
  });
});

describe('cost', () => {
  const before = {
    operations: { 'lambda.Invoke': 5 },
    lambdaInvocations: 5,
    gigabyteSeconds: 1,
    stateTransitions: 10,
    apiRequests: 2,
  };
  const after = {
    operations: { 'lambda.Invoke': 15, 'dynamodb.BatchGetItem': 120, 'dynamodb.Query': 30, 'dynamodb.UpdateItem': 60 },
    lambdaInvocations: 15,
    gigabyteSeconds: 21,
    stateTransitions: 40,
    apiRequests: 102,
  };

  test('only what happened between two counts is charged, a batch read as two reads', () => {
    const lines = new Map(costOf(usageBetween(before, after)).map((line) => [line.item, line]));
    expect(lines.get('lambdaRequests')?.quantity).toBe(10);
    expect(lines.get('dynamodbReads')?.quantity).toBe(270);
    expect(lines.get('dynamodbWrites')?.quantity).toBe(60);
    expect(lines.get('lambdaGigabyteSeconds')?.dollars).toBeCloseTo(0.000266668, 9);
    expect(lines.get('stateTransitions')?.dollars).toBeCloseTo(0.00075, 9);
    expect(lines.get('apiRequests')?.dollars).toBeCloseTo(0.00035, 9);
  });

  test('the report names machine, date, commit, prices and what could not be measured', () => {
    const report = renderReport({
      machine: '2 cores',
      date: '2026-01-01',
      commit: 'abc1234',
      measurements: [
        { name: 'TTL to lifted', unit: 's', values: [0.2, 0.1], promised: '1 s' },
        { name: 'guard killed to lifted', unit: 's', values: [] },
      ],
      bundles: [{ name: 'Guard', gzipBytes: 120_400 }],
      cost: costOf(usageBetween(before, after)),
      failures: ['guard killed to lifted: no guard process'],
    });
    expect(report).toContain('Machine: 2 cores. Date: 2026-01-01. Commit: abc1234.');
    expect(report).toContain('| TTL to lifted | s | 2 | 0.10 | 0.10 | 0.20 | 0.20 | 1 s |');
    expect(report).toContain('| guard killed to lifted | s | 0 |  |  |  |  |  |');
    expect(report).toContain('| Guard | 120 |');
    expect(report).toContain('- guard killed to lifted: no guard process');
    expect(report).toMatch(/list prices of us-east-1 as of \d{4}-\d\d/);
  });
});

describe('observer', () => {
  const transitions = [
    { atEpochMs: 100, reachable: true },
    { atEpochMs: 200, reachable: false },
    { atEpochMs: 300, reachable: true },
  ];

  test('a state that already holds counts from when it was asked for', () => {
    expect(firstTime(transitions, false, 250)).toBe(250);
  });

  test('an outage that ended before the question is not reported', () => {
    expect(firstTime(transitions, false, 300)).toBeUndefined();
    expect(firstTime(transitions, false, 150)).toBe(200);
    expect(firstTime([], false, 0)).toBeUndefined();
  });
});

test('the first bad scrape is found on the side on which the guardrail breaches', () => {
  const values = [
    [1000, '0.4'],
    [1000.1, '0.6'],
    [1000.2, '20'],
  ] as const;
  expect(firstBreach({ breachWhen: 'above', limit: 0.5 }, values)).toBe(1_000_100);
  expect(firstBreach({ breachWhen: 'below', limit: 0.5 }, values)).toBe(1_000_000);
  expect(firstBreach({ breachWhen: 'above', limit: 50 }, values)).toBeUndefined();
});
