import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  LASTING_MS,
  type Operation,
  outages,
  rtoSeconds,
  unavailableSeconds,
  worstOutage,
} from '../../../functions/domain/rto.ts';

/** Twenty operations a second; `F` fails, `.` succeeds; each takes 10 ms. */
const timeline = (text: string): Operation[] =>
  [...text].map((mark, index) => ({ startedAtMs: index * 50, endedAtMs: index * 50 + 10, ok: mark === '.' }));
const quiet = '.'.repeat(LASTING_MS / 50 + 1);

describe('rto', () => {
  it('is the time from the start of the first failure to the end of the first lasting success', () => {
    expect(rtoSeconds(worstOutage(outages(timeline(`..${'F'.repeat(80)}${quiet}`)), 0))).toBe(4.01);
  });

  it('is that of the longest outage from the fault on, not of the first and not of one before the fault', () => {
    const before = `${'F'.repeat(200)}${quiet}`;
    const found = outages(timeline(`${before}F${quiet}${'F'.repeat(80)}${quiet}FF${quiet}`));
    expect(found).toHaveLength(4);
    expect(rtoSeconds(worstOutage(found, before.length * 50))).toBe(4.01);
    expect(worstOutage(found, Infinity)).toBeUndefined();
  });

  it('counts an outage that began before the fault and lasted into it', () => {
    const found = outages(timeline(`${'F'.repeat(80)}${quiet}`));
    expect(rtoSeconds(worstOutage(found, 2000))).toBe(4.01);
  });

  it('is unknown when any outage from the fault on did not end, however long another was', () => {
    const found = outages(timeline(`${'F'.repeat(80)}${quiet}FF`));
    expect(rtoSeconds(worstOutage(found, 0))).toBeUndefined();
    expect(worstOutage(found, 0)).toBe(found[1]);
  });

  it('does not take a success for a recovery when a failure follows within 3 s', () => {
    expect(outages(timeline(`F...F${quiet}`))).toEqual([{ firstFailureAtMs: 0, recoveredAtMs: 260 }]);
  });

  it('is unknown when the observation ends before a success has lasted', () => {
    const found = outages(timeline(`FF${quiet.slice(0, -1)}`));
    expect(found).toEqual([{ firstFailureAtMs: 0 }]);
    expect(rtoSeconds(worstOutage(found, 0))).toBeUndefined();
  });

  it('keeps a second outage apart, so that it is not hidden behind the first', () => {
    expect(outages(timeline(`F${quiet}F${quiet}`))).toHaveLength(2);
    expect(outages(timeline(`F${quiet}FFF`)).at(-1)?.recoveredAtMs).toBeUndefined();
  });

  it('adds up all outages from the fault on, so that flapping is not called a short one', () => {
    const found = outages(timeline(`F${quiet}${`${'F'.repeat(80)}${quiet}`.repeat(3)}`));
    expect(unavailableSeconds(found, 60)).toBe(12.03);
    expect(rtoSeconds(worstOutage(found, 60))).toBe(4.01);
    expect(unavailableSeconds(found, Infinity)).toBeUndefined();
    expect(unavailableSeconds(outages(timeline(`F${quiet}F`)), 0)).toBeUndefined();
  });

  it('is never longer than all outages together, and as long when there is one', () => {
    const marks = fc.array(fc.constantFrom('.', 'F', 'FFFF', quiet), { maxLength: 30 });
    fc.assert(
      fc.property(marks, (parts) => {
        const found = outages(timeline(`${parts.join('')}${quiet}`));
        const [all, longest] = [unavailableSeconds(found, 0), rtoSeconds(worstOutage(found, 0))];
        expect(all === undefined).toBe(found.length === 0);
        if (found.length === 1) expect(all).toBe(longest);
        else if (found.length > 1) expect(all).toBeGreaterThan(longest ?? Number.NaN);
      }),
    );
  });

  it('finds every failure inside an outage, and no failure within 3 s after a recovery', () => {
    const marks = fc
      .array(fc.constantFrom('.', '.', '.', 'F', quiet), { maxLength: 30 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(marks, (text) => {
        const operations = timeline(text);
        const found = outages(operations);
        for (const { startedAtMs } of operations.filter((operation) => !operation.ok)) {
          const covered = found.some(
            (outage) => outage.firstFailureAtMs <= startedAtMs && startedAtMs < (outage.recoveredAtMs ?? Infinity),
          );
          expect(covered).toBe(true);
          for (const { recoveredAtMs } of found) {
            const sinceRecoveryMs = startedAtMs - ((recoveredAtMs ?? Infinity) - 10);
            expect(sinceRecoveryMs > 0 && sinceRecoveryMs <= LASTING_MS).toBe(false);
          }
        }
        expect(found.length === 0).toBe(operations.every((operation) => operation.ok));
      }),
    );
  });
});
