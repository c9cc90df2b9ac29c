import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Evaluation, rollbackWatch } from '../../../functions/domain/rollback-watch.ts';
import { EPOCH_MS, iso, reading } from './fixtures.ts';

/** The error rate at each second; undefined: not read. */
const errorsAt = (...values: (number | undefined)[]): Evaluation[] =>
  values.map((value, second) => ({
    atMs: EPOCH_MS + second * 1000,
    readings: [
      reading('errorRatePct', {
        value,
        limit: 0.5,
        breached: value === undefined || value > 0.5,
        reason: `${value} %`,
      }),
      reading('requestRate', { value: 1000, limit: 500, breachWhen: 'below' }),
    ],
  }));
const watch = (evaluations: Evaluation[]) => rollbackWatch(evaluations, EPOCH_MS, EPOCH_MS + 9000);

describe('the watch over a rollback', () => {
  it('has nothing to say of guardrails that held', () => {
    expect(watch(errorsAt(0, 0.5, 0))).toEqual({ from: iso(0), until: iso(9), breaches: [], unseen: [] });
  });

  it('has the worst reading of a guardrail that was crossed, and its first and last time', () => {
    expect(watch(errorsAt(0, 0.6, 3, 0, 0.7, 0))).toMatchObject({
      breaches: [{ guardrail: 'errorRatePct', value: 3, reason: '3 %', firstAt: iso(1), lastAt: iso(4) }],
      unseen: [],
    });
  });

  it('takes the lowest for the worst where less is a breach', () => {
    const free = [20, 5, 10].map((value, second) => ({
      atMs: EPOCH_MS + second * 1000,
      readings: [reading('freeWorkersPct', { value, limit: 15, breachWhen: 'below', breached: value < 15 })],
    }));
    expect(watch(free).breaches).toMatchObject([{ value: 5, firstAt: iso(1), lastAt: iso(2) }]);
  });

  it('says what was not seen, and takes it for no breach', () => {
    expect(watch(errorsAt(0, undefined, undefined, 0))).toMatchObject({
      breaches: [],
      unseen: [`redis-master errorRatePct: 2 of 4 s, from ${iso(1)} to ${iso(2)}: undefined %`],
    });
    expect(watch([]).unseen).toEqual(['no guardrail was read']);
  });

  it('never loses a second: each is within the limit, in a breach, or said to be unseen', () => {
    const second = fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined });
    fc.assert(
      fc.property(fc.array(second, { minLength: 1 }), (values) => {
        const { breaches, unseen } = watch(errorsAt(...values));
        const beyond = values.filter((value) => value !== undefined && value > 0.5);
        expect(breaches.map(({ value }) => value)).toEqual(
          beyond.length === 0 ? [] : [Math.max(...(beyond as number[]))],
        );
        const missing = values.filter((value) => value === undefined).length;
        expect(unseen.length).toBe(missing === 0 ? 0 : 1);
        if (missing > 0) expect(unseen[0]).toContain(`${missing} of ${values.length} s`);
      }),
    );
  });
});
