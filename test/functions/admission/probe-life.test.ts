import { describe, expect, it } from 'vitest';
import { refuseLongerThanProbe } from '../../../functions/admission/probe-life.ts';
import { RECOVERY_SECONDS, TTL_SECONDS } from '../../../functions/domain/timing.ts';

const allowedOf = (...given: Parameters<typeof refuseLongerThanProbe>) =>
  refuseLongerThanProbe(...given)?.errors?.map(({ field, allowed }) => `${field}: ${allowed}`);

describe('a run that the probe cannot measure to its end', () => {
  it('is refused, with the longest duration that it can', () => {
    expect(refuseLongerThanProbe(470, RECOVERY_SECONDS.default, true)).toBeUndefined();
    expect(allowedOf(471, RECOVERY_SECONDS.default, true)).toEqual(['durationSeconds: a whole number from 1 to 470']);
    expect(refuseLongerThanProbe(471, RECOVERY_SECONDS.default, true)?.detail).toMatch(
      /look for 860 s.*150 s to inject, 471 s of fault, 180 s to roll back and 60 s to recover/,
    );
  });

  it('is none of host faults, however long, that recover within the default', () => {
    expect(refuseLongerThanProbe(TTL_SECONDS.max, RECOVERY_SECONDS.default, false)).toBeUndefined();
    expect(allowedOf(TTL_SECONDS.max, 300, false)).toEqual(['durationSeconds: a whole number from 1 to 460']);
  });

  it('is any where a service and a slow recovery take all of its life', () => {
    expect(allowedOf(1, RECOVERY_SECONDS.max, true)).toEqual([
      "durationSeconds: none while the cluster's budgets.recoverySeconds is 600",
    ]);
  });
});
