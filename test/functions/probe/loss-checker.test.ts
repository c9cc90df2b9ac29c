import { describe, expect, it } from 'vitest';
import { checkLoss } from '../../../functions/probe/loss-checker.ts';

describe('loss checker', () => {
  it('counts an acknowledged write that is missing or has another value as lost', () => {
    const acknowledged = new Map([
      ['a', { value: '1', atMs: 1000 }],
      ['b', { value: '2', atMs: 3500 }],
      ['c', { value: '3', atMs: 2000 }],
    ]);
    const found = new Map([
      ['a', '1'],
      ['b', null],
      ['c', '9'],
    ]);
    expect(checkLoss(acknowledged, found)).toEqual({
      acknowledged: 3,
      present: 1,
      lost: ['b', 'c'],
      lossSpanSeconds: 1.5,
    });
  });

  it('says over which time acknowledgements were lost: none where nothing is, no time where it is one', () => {
    const acknowledged = new Map([['a', { value: '1', atMs: 1000 }]]);
    expect(checkLoss(acknowledged, new Map([['a', '1']]))).toEqual({ acknowledged: 1, present: 1, lost: [] });
    expect(checkLoss(acknowledged, new Map([['a', null]]))).toMatchObject({ lost: ['a'], lossSpanSeconds: 0 });
  });

  it('refuses to say anything about a key that was not read', () => {
    expect(() => checkLoss(new Map([['a', { value: '1', atMs: 0 }]]), new Map())).toThrow(/not read back/);
  });
});
