import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  alarmsNotOk,
  alarmsThatStop,
  type FiringAlarm,
  meaningOf as meaningAt,
} from '../../../functions/domain/alarms.ts';
import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import { ALERT_SEVERITIES } from '../../../functions/domain/contract.ts';
import type { Experiment } from '../../../functions/domain/experiment.ts';
import type { Check } from '../../../functions/domain/hypothesis.ts';
import { seedExperiment } from './experiment-fixtures.ts';
import { fullRun, iso, logAfter, logOf, runUntil } from './fixtures.ts';
import { checkOf, expectedAlert, hypothesisOf } from './hypothesis-fixtures.ts';

const cluster = 'redis-master';
const alarms = (['INFO', 'WARNING', 'CRITICAL'] as const).map((severity) => ({ name: `is-${severity}`, severity }));

type Terms = Experiment['safetyThreshold'];
function experimentWith(safetyThreshold: Partial<Terms>, ...checks: Check[]): Experiment {
  const experiment = seedExperiment();
  return {
    ...{ ...experiment, safetyThreshold: { ...experiment.safetyThreshold, ...safetyThreshold } },
    ...(checks.length === 0 ? {} : { hypothesis: hypothesisOf(...checks) }),
  };
}

describe('the alarms that stop an experiment in FIS', () => {
  const stopping = (terms: Partial<Terms>, ...checks: Check[]) =>
    alarmsThatStop(cluster, { alarms }, experimentWith(terms, ...checks));

  it('are those above what it tolerates', () => {
    expect(stopping({ maxAlertSeverity: 'NONE' })).toEqual(['is-INFO', 'is-WARNING', 'is-CRITICAL']);
    expect(stopping({ maxAlertSeverity: 'WARNING' })).toEqual(['is-CRITICAL']);
    expect(stopping({ maxAlertSeverity: 'CRITICAL' })).toEqual([]);
  });

  it('are none where it does not roll back on alarms', () => {
    expect(stopping({ maxAlertSeverity: 'NONE', automaticRollbackOnAlert: false })).toEqual([]);
  });

  it('are not those that it expects', () => {
    expect(stopping({ maxAlertSeverity: 'NONE' }, expectedAlert('is-CRITICAL'))).toEqual(['is-INFO', 'is-WARNING']);
  });
});

describe('an alarm that fires', () => {
  const firing = (name: string, severity: (typeof ALERT_SEVERITIES)[number] = 'CRITICAL') => ({
    ...{ cluster, name, severity, firedAt: iso(20) },
  });
  /** The fault of `runUntil` was announced at second 2. */
  const [ANNOUNCED, NOW] = [2, 21];
  const meaningOf = (alarm: FiringAlarm, entries: readonly AuditEntry[]) =>
    meaningAt(alarm, entries, Date.parse(iso(NOW)));
  const logUntil = (type: 'ADMITTED' | 'INJECTED', ...args: Parameters<typeof experimentWith>) =>
    runUntil(type, { ADMITTED: { experiment: experimentWith(...args) } });
  const ALERT = checkOf({
    ...{ measure: { kind: 'ALERT', alert: 'ShardFailing' }, tolerance: { atLeast: 1, unit: 'alerts' } },
    ...{ when: 'HAPPENS', withinSeconds: 15 },
  });

  it('ends an experiment exactly where it is above what this tolerates, unless it is expected', () => {
    const severity = fc.constantFrom(...ALERT_SEVERITIES);
    fc.assert(
      fc.property(severity, severity, fc.boolean(), fc.boolean(), (given, maximum, rollsBack, isExpected) => {
        const checks = isExpected ? [expectedAlert('a')] : [expectedAlert('b')];
        const terms = { maxAlertSeverity: maximum, automaticRollbackOnAlert: rollsBack };
        const isAbove = ALERT_SEVERITIES.indexOf(given) > ALERT_SEVERITIES.indexOf(maximum);
        const { act } = meaningOf(firing('a', given), logUntil('INJECTED', terms, ...checks));
        expect(act).toBe(isExpected ? 'NOTE' : rollsBack && isAbove ? 'END' : 'IGNORE');
      }),
    );
  });

  it('ends one whose terms are not in the log, and none that is over', () => {
    expect(meaningOf(firing('a'), [])).toEqual({ act: 'END' });
    expect(meaningOf(firing('a'), logOf('exp', ['INJECTING']))).toEqual({ act: 'END' });
    const over = fullRun({ CONCLUDED: {} });
    expect(meaningOf(firing('a'), over)).toEqual({ act: 'IGNORE', why: 'its experiment is over' });
  });

  it('does not end one with a check that this alerting rule fires, and ends one with a check that it does not', () => {
    const terms = { maxAlertSeverity: 'NONE' } as const;
    expect(meaningOf(firing('ShardFailing'), logUntil('INJECTED', terms, ALERT)).act).toBe('NOTE');
    const others: Check[] = [
      { ...ALERT, when: 'THROUGHOUT', tolerance: { atMost: 0, unit: 'alerts' } },
      { ...ALERT, tolerance: { atMost: 0, unit: 'alerts' } },
      { ...ALERT, cluster: 'redis-other' },
    ];
    for (const other of others) {
      expect(meaningOf(firing('ShardFailing'), logUntil('INJECTED', terms, other)).act).toBe('END');
    }
  });

  it('that is expected ends one before its fault, or is written where it would be tolerated anyway', () => {
    expect(meaningOf(firing('a'), logUntil('ADMITTED', {}, expectedAlert('a'))).act).toBe('END');
    expect(meaningOf(firing('a', 'INFO'), logUntil('ADMITTED', {}, expectedAlert('a'))).act).toBe('NOTE');
  });

  it('that is expected is forgiven only from a time when the fault can be the cause, whatever the clocks', () => {
    const log = logUntil('INJECTED', {}, expectedAlert('a'));
    fc.assert(
      fc.property(fc.integer({ min: -20_000, max: 60_000 }), (ms) => {
        const firedAt = new Date(Date.parse(iso(0)) + ms).toISOString();
        // A second is what the clocks of two services may differ by.
        const isOfFault = ms > (ANNOUNCED + 1) * 1000 && ms <= (NOW + 1) * 1000;
        expect(meaningOf({ ...firing('a'), firedAt }, log).act).toBe(isOfFault ? 'NOTE' : 'END');
      }),
    );
  });

  it('is not forgiven while nobody knows when it fired', () => {
    const log = logUntil('INJECTED', {}, expectedAlert('a'));
    for (const alarm of [
      { cluster, name: 'a', severity: 'CRITICAL' as const },
      { ...firing('a'), firedAt: 'noon' },
    ]) {
      expect(meaningOf(alarm, log).act).toBe('END');
    }
  });

  it('is written again after the fault when it came before it, too: only that is evidence', () => {
    const before = logAfter(logUntil('INJECTED', {}, expectedAlert('a')), [
      'ALARM_ARRIVED',
      { alarm: 'a', severity: 'INFO', firedAt: iso(1) },
    ]);
    expect(meaningOf({ ...firing('a', 'INFO'), firedAt: iso(1) }, before).act).toBe('IGNORE');
    expect(meaningOf(firing('a', 'INFO'), before).act).toBe('NOTE');
  });

  it('is written once a cluster', () => {
    const log = logAfter(logUntil('INJECTED', {}, expectedAlert('a')), ['ALARM_ARRIVED', { alarm: 'a' }, 20]);
    expect(meaningOf(firing('a'), log).act).toBe('IGNORE');
    const elsewhere = logAfter(logUntil('INJECTED', {}, expectedAlert('a')), [
      'ALARM_ARRIVED',
      { alarm: 'a', cluster: 'other' },
      20,
    ]);
    expect(meaningOf(firing('a'), elsewhere).act).toBe('NOTE');
  });
});

describe('alarms before a start', () => {
  it('are asked for by name, and nothing but OK is OK', async () => {
    const states = new Map([
      ['is-INFO', 'OK'],
      ['is-WARNING', 'INSUFFICIENT_DATA'],
    ]);
    const notOk = await alarmsNotOk(alarms, async () => states);
    expect(notOk.map(({ name, state }) => [name, state])).toEqual([
      ['is-WARNING', 'INSUFFICIENT_DATA'],
      ['is-CRITICAL', 'MISSING'],
    ]);
  });
});
