import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guardrailsOf } from '../../../functions/domain/guardrail-queries.ts';
import { blind, evaluate, type RawReading } from '../../../functions/domain/guardrails.ts';
import { baseline, cluster, named, wellSnapshot } from '../guard/fixtures.ts';

const guardrails = guardrailsOf(cluster);
const names = Object.keys(guardrails);
const breachesWith = (name: string, raw: RawReading | undefined) => {
  const snapshot = wellSnapshot();
  if (raw) snapshot.guardrails[name] = raw;
  else delete snapshot.guardrails[name];
  return evaluate(named, snapshot, baseline).filter((reading) => reading.breached);
};

describe('guardrails', () => {
  it('pass a system that is well', () => {
    expect(evaluate(named, wellSnapshot(), baseline).filter((reading) => reading.breached)).toEqual([]);
    expect(evaluate(named, wellSnapshot(), baseline)).toHaveLength(names.length + 2);
  });

  it('never pass a reading that is missing, not finite, without age, stale or unreadable', () => {
    const raw: fc.Arbitrary<RawReading | undefined> = fc.oneof(
      fc.constant(undefined),
      fc.record({ ageSeconds: fc.double({ min: 0, max: 1, noNaN: true }) }),
      fc.record({
        value: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
        ageSeconds: fc.constant(0),
      }),
      fc.record({ value: fc.constantFrom(0, 50), ageSeconds: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY) }),
      fc.record({ value: fc.constantFrom(0, 50) }),
      fc.record({ value: fc.constantFrom(0, 50), ageSeconds: fc.double({ min: 3.001, max: 1e6, noNaN: true }) }),
      fc.record({ value: fc.constantFrom(0, 50), ageSeconds: fc.constant(0), problem: fc.string() }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...names), raw, (name, reading) => {
        expect(breachesWith(name, reading).map((breach) => breach.guardrail)).toContain(name);
      }),
    );
  });

  it('never pass a value beyond its limit, and always say its number', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.entries(guardrails)),
        fc.double({ min: 1e-9, max: 1e9, noNaN: true }),
        ([name, { limit, breachWhen }], beyond) => {
          const value = breachWhen === 'above' ? limit + beyond : limit - beyond;
          fc.pre(value !== limit);
          const [breach] = breachesWith(name, { value, ageSeconds: 0.1 });
          expect(breach?.guardrail).toBe(name);
          expect(breach?.reason).toContain(String(value));
        },
      ),
    );
  });

  it('breach when a gateway of the baseline is gone or traffic fell under half', () => {
    const snapshot = {
      ...wellSnapshot(),
      liveGateways: { value: 1, ageSeconds: 0.1 },
      requestRate: { value: 499, ageSeconds: 0.1 },
    };
    const breached = evaluate(named, snapshot, baseline).filter((reading) => reading.breached);
    expect(breached.map((reading) => reading.guardrail)).toEqual(['liveGateways', 'requestRate']);
  });

  it('breach when the gateways or their traffic could not be seen, or are of unknown age', () => {
    for (const raw of [{}, { value: 1000 }, { value: 1000, ageSeconds: 3.1 }, { problem: 'gone' }]) {
      const snapshot = { ...wellSnapshot(), liveGateways: raw, requestRate: raw };
      const breached = evaluate(named, snapshot, baseline).filter((reading) => reading.breached);
      expect(breached.map((reading) => reading.guardrail)).toEqual(['liveGateways', 'requestRate']);
    }
  });

  it('breach everywhere when the evaluation itself failed', () => {
    expect(blind(named, baseline, 'broken').every((reading) => reading.breached)).toBe(true);
  });
});
