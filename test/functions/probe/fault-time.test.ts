import { describe, expect, it } from 'vitest';
import { faultAtEpochMs } from '../../../functions/probe/fault-time.ts';
import { EPOCH_MS, type Given, iso, logOf, nodeAnswer } from '../domain/fixtures.ts';

const injecting = (seconds: number): Given => ['INJECTING', {}, seconds];
const appliedAt = (...seconds: number[]): Given => [
  'INJECTED',
  { injectedAt: iso(10), nodes: seconds.map((second) => nodeAnswer({ appliedAt: iso(second) })) },
  12,
];
const faultAt = (...entries: Given[]) => {
  const epochMs = faultAtEpochMs(logOf('exp', ...entries));
  return epochMs === undefined ? undefined : (epochMs - EPOCH_MS) / 1000;
};

describe('the time of the fault', () => {
  it("is the first host's word, and of several batches that of the first batch", () => {
    expect(faultAt(injecting(5), appliedAt(9, 8), injecting(38), appliedAt(40))).toBe(8);
  });

  it('is that of the confirmation where no host says when', () => {
    expect(faultAt(injecting(5), appliedAt())).toBe(10);
  });

  it('is the announcement where FIS took part: it tells only that the fault has begun', () => {
    const services = [{ faultId: 'exp.2', fisExperimentId: 'EXP1' }];
    expect(faultAt(injecting(5), ['INJECTED', { nodes: [nodeAnswer({ appliedAt: iso(9) })], services }])).toBe(5);
  });

  it('is the announcement where nobody confirmed it', () => {
    expect(faultAt(injecting(5), ['INJECTION_FAILED', {}, 45])).toBe(5);
  });

  it('is unknown when nothing was announced', () => {
    expect(faultAt(['ADMITTED'])).toBeUndefined();
  });
});
