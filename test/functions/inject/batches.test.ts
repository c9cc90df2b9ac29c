import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Injection } from '../../../functions/domain/workflow.ts';
import { nextBatch, nextDueAtEpochMs } from '../../../functions/inject/batches.ts';
import { experimentOf, fisFault, hostFault } from '../domain/experiment-fixtures.ts';
import { EPOCH_MS, iso } from '../domain/fixtures.ts';

const ids = (faults: { faultId: string }[]) => faults.map(({ faultId }) => faultId);
const injectedSoFar = (injectedFaults: string[], endsSeconds = 60): Injection => ({
  injectedAt: iso(0),
  endsAt: iso(endsSeconds),
  injectedFaults,
});
const at = (seconds: number) => EPOCH_MS + seconds * 1000;

describe('the batches of several faults', () => {
  const experiment = experimentOf([hostFault(1, 10), hostFault(2, 0), hostFault(3, 10), hostFault(4, 25)]);

  it('begin with all faults of the smallest second, for the whole time', () => {
    expect(nextBatch(experiment, undefined, at(0))).toMatchObject({ faults: [{ faultId: 'exp.2' }], ttlSeconds: 60 });
  });

  it('begin at once when no fault is planned for second 0: then the others count from the first ones', () => {
    const later = experimentOf([hostFault(1, 30), hostFault(2, 20)]);
    expect(ids(nextBatch(later, undefined, at(0)).faults)).toEqual(['exp.2']);
    expect(nextDueAtEpochMs(later.faults, injectedSoFar(['exp.2']))).toBe(at(10));
  });

  it('never let a later fault live beyond the common end, by not one second', () => {
    const batch = nextBatch(experiment, injectedSoFar(['exp.2']), at(10.2));
    expect(ids(batch.faults)).toEqual(['exp.1', 'exp.3']);
    expect(batch.ttlSeconds).toBe(49);
  });

  it('bring together what is overdue', () => {
    expect(ids(nextBatch(experiment, injectedSoFar(['exp.2']), at(26)).faults)).toEqual(['exp.1', 'exp.3', 'exp.4']);
  });

  it('take faults of a service first, on their own, and the hosts of the same second at once behind them', () => {
    const mixed = experimentOf([hostFault(1, 0), fisFault(2, 0), hostFault(3, 10), fisFault(4, 10)]);
    expect(ids(nextBatch(mixed, undefined, at(0)).faults)).toEqual(['exp.2']);
    expect(nextDueAtEpochMs(mixed.faults, injectedSoFar(['exp.2']))).toBe(at(0));
    expect(ids(nextBatch(mixed, injectedSoFar(['exp.2']), at(0.5)).faults)).toEqual(['exp.1']);
    expect(ids(nextBatch(mixed, injectedSoFar(['exp.2', 'exp.1']), at(11)).faults)).toEqual(['exp.4']);
  });

  it('inject nothing with less than a second left, and name everything that is missed', () => {
    const last = nextBatch(experiment, injectedSoFar(['exp.2']), at(59));
    expect([ids(last.faults), last.ttlSeconds]).toEqual([['exp.1', 'exp.3', 'exp.4'], 1]);
    const late = nextBatch(experiment, injectedSoFar(['exp.2']), at(59.001));
    expect([ids(late.faults), ids(late.late)]).toEqual([[], ['exp.1', 'exp.3', 'exp.4']]);
  });

  it('inject nothing under an end that is no time', () => {
    const unknown = { ...injectedSoFar(['exp.2']), endsAt: 'soon' };
    expect(nextBatch(experiment, unknown, at(20)).faults).toEqual([]);
  });

  it('inject every fault exactly once or name it as missed, none before its time, none beyond the end', () => {
    const plan = fc.array(fc.tuple(fc.integer({ min: 0, max: 59 }), fc.boolean()), { minLength: 1, maxLength: 10 });
    // How long each batch takes, milliseconds: a slow host delays the next batch.
    const delays = fc.array(fc.integer({ min: 0, max: 45_000 }), { minLength: 10, maxLength: 10 });
    fc.assert(
      fc.property(plan, delays, (kinds, tookMs) => {
        const starts = kinds.map(([startSeconds]) => startSeconds);
        const faults = kinds.map(([startSeconds, inService], index) =>
          (inService ? fisFault : hostFault)(index + 1, startSeconds),
        );
        const planned = experimentOf(faults);
        const seen: string[] = [];
        let nowMs = at(0);
        let injection: Injection | undefined;
        for (let batches = 0; ; batches++) {
          expect(batches).toBeLessThanOrEqual(faults.length);
          const batch = nextBatch(planned, injection, nowMs);
          seen.push(...ids(batch.faults), ...ids(batch.late));
          expect(new Set(batch.faults.map(({ kind }) => kind)).size).toBeLessThanOrEqual(1);
          for (const { startSeconds } of batch.faults) {
            const dueMs = injection
              ? Date.parse(injection.injectedAt) + (startSeconds - Math.min(...starts)) * 1000
              : nowMs;
            expect(nowMs).toBeGreaterThanOrEqual(dueMs);
            if (injection) {
              expect(nowMs + batch.ttlSeconds * 1000).toBeLessThanOrEqual(Date.parse(injection.endsAt));
            }
            expect(batch.ttlSeconds).toBeGreaterThanOrEqual(1);
          }
          if (batch.late.length > 0) break;
          nowMs += tookMs[batches] ?? 0;
          const confirmedAt = new Date(nowMs).toISOString();
          injection = {
            injectedAt: injection?.injectedAt ?? confirmedAt,
            endsAt: injection?.endsAt ?? new Date(nowMs + 60_000).toISOString(),
            injectedFaults: [...(injection?.injectedFaults ?? []), ...ids(batch.faults)],
          };
          const dueMs = nextDueAtEpochMs(faults, injection);
          if (dueMs === undefined) break;
          nowMs = Math.max(nowMs, dueMs);
        }
        expect(seen.toSorted()).toEqual(ids(faults).toSorted());
      }),
    );
  });
});
