import { describe, expect, it } from 'vitest';
import { checkVerdicts } from '../../../functions/domain/check-verdicts.ts';
import { judge } from '../../../functions/domain/verdict.ts';
import { seedExperiment } from './experiment-fixtures.ts';
import { fullRun, iso, logAfter, type RunChanges } from './fixtures.ts';
import { expectedAlert, hypothesisOf } from './hypothesis-fixtures.ts';

/** Seconds of `fullRun`: the fault is announced, and the expected alert arrives. */
const [ANNOUNCED, ARRIVED] = [2, 20];
const ALERT = 'orders-5xx';
const limits = { 'redis-master': { rtoSeconds: 15, unavailableSeconds: 30, lostAcknowledgedWrites: 0 } };

const expecting = (withinSeconds: number, changes: RunChanges = {}) =>
  fullRun({
    ADMITTED: { experiment: { ...seedExperiment(), hypothesis: hypothesisOf(expectedAlert(ALERT, withinSeconds)) } },
    ...changes,
  });
const [arrived, missing] = [{ ALARM_ARRIVED: {} }, {}];

describe('an expected alert', () => {
  it('that arrived in time is in the verdict with when, and confirms', () => {
    const log = expecting(30, arrived);
    expect(checkVerdicts(log)).toMatchObject([
      {
        ...{ name: ALERT, measure: `arrival of ${ALERT}`, result: 'HELD', measured: 1, withinSeconds: 30 },
        ...{ arrivedAt: iso(ARRIVED), heldAfterSeconds: ARRIVED - ANNOUNCED },
      },
    ]);
    expect(judge(log, limits)).toMatchObject({ status: 'COMPLETED', outcome: 'CONFIRMED' });
  });

  it('that never came is a deviation that says its name', () => {
    const log = expecting(30, missing);
    expect(checkVerdicts(log)).toMatchObject([{ result: 'FAILED', measured: 0 }]);
    expect(judge(log, limits)).toMatchObject({
      ...{ outcome: 'DEVIATED', reason: `${ALERT}: ${ALERT} did not arrive within 30 s` },
    });
  });

  it('that came too late is a deviation with when it came', () => {
    expect(checkVerdicts(expecting(10, arrived))).toMatchObject([
      { result: 'FAILED', arrivedAt: iso(ARRIVED), reason: `${ALERT} arrived after 18 s, not within 10 s` },
    ]);
    expect(judge(expecting(10, arrived), limits).outcome).toBe('DEVIATED');
  });

  it('is not judged by a run that ended before it was due', () => {
    const log = expecting(60, missing).filter(({ at }) => at < iso(30));
    expect(checkVerdicts(log)).toMatchObject([{ result: 'UNKNOWN', reason: /had 60 s to arrive, of which 1 s could/ }]);
  });

  it('that came before the fault says nothing about the fault', () => {
    const [admitted, ...others] = expecting(30, missing);
    const early = fullRun(arrived).filter(({ type }) => type === 'ALARM_ARRIVED');
    const log = [admitted, ...early.map((one) => ({ ...one, at: iso(1) })), ...others].flatMap((one) => one ?? []);
    expect(checkVerdicts(log)).toMatchObject([{ result: 'UNKNOWN', reason: /arrived before the fault already/ }]);
  });

  it.each([
    ['fired before the fault', { firedAt: iso(ANNOUNCED - 1) }, /fired before the fault could be felt/],
    ['fired within the difference of two clocks', { firedAt: iso(ANNOUNCED + 1) }, /fired before the fault/],
    ['does not say when it fired', { firedAt: undefined }, /does not say when/],
  ])('that %s says nothing about the fault, although it came after it', (_what, details, reason) => {
    const log = expecting(30, { ALARM_ARRIVED: details });
    expect(checkVerdicts(log)).toMatchObject([{ result: 'UNKNOWN', arrivedAt: iso(ARRIVED), reason }]);
    expect(judge(log, limits).outcome).toBe('INCONCLUSIVE');
  });

  it('is judged by its first arrival after the fault, whatever came before', () => {
    const log = expecting(30, { ALARM_ARRIVED: { firedAt: iso(1) } });
    const at = log.findIndex(({ type }) => type === 'ALARM_ARRIVED');
    const more = logAfter(log.slice(0, at + 1), ['ALARM_ARRIVED', {}, ARRIVED + 4]).at(-1);
    expect(checkVerdicts(log.toSpliced(at + 1, 0, ...(more ? [more] : [])))).toMatchObject([
      { result: 'HELD', arrivedAt: iso(ARRIVED + 4) },
    ]);
  });

  it('is shown by nobody where nothing was injected', () => {
    const log = expecting(30).slice(0, 2);
    expect(checkVerdicts(log)).toMatchObject([{ result: 'UNKNOWN', reason: 'nothing was injected' }]);
  });
});
