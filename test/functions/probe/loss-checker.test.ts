import { describe, expect, it } from 'vitest';
import { checkLoss } from '../../../functions/probe/loss-checker.ts';

describe('loss checker', () => {
  it('counts an acknowledged write that is missing or has another value as lost', () => {
    const acknowledged = new Map([
      ['a', '1'],
      ['b', '2'],
      ['c', '3'],
    ]);
    const found = new Map([
      ['a', '1'],
      ['b', null],
      ['c', '9'],
    ]);
    expect(checkLoss(acknowledged, found)).toEqual({ acknowledged: 3, present: 1, lost: ['b', 'c'] });
  });

  it('refuses to say anything about a key that was not read', () => {
    expect(() => checkLoss(new Map([['a', '1']]), new Map())).toThrow(/not read back/);
  });
});
