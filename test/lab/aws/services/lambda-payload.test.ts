import { describe, expect, it } from 'vitest';
import {
  boundedOutcome,
  MAX_REQUEST_BYTES,
  MAX_RESPONSE_BYTES,
  requireFits,
} from '../../../../lab/aws/services/lambda-payload.ts';

describe('Lambda in the lab', () => {
  it('takes no event above 6 MB, as AWS', () => {
    const quotes = 2;
    requireFits('x'.repeat(MAX_REQUEST_BYTES - quotes));
    expect(() => requireFits('x'.repeat(MAX_REQUEST_BYTES - quotes + 1))).toThrow(/6291457 byte payload is too large/);
  });

  it('makes a failure of an answer above 6 MB, as AWS', () => {
    const fits = { payload: 'x'.repeat(MAX_RESPONSE_BYTES), requestId: '1' };
    expect(boundedOutcome(fits)).toBe(fits);
    const { error, payload } = boundedOutcome({ payload: `${fits.payload}x`, requestId: '1' });
    expect(error?.errorType).toBe('Function.ResponseSizeTooLarge');
    expect(payload.length).toBeLessThan(500);
  });
});
