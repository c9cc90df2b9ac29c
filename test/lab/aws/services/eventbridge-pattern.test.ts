import { describe, expect, it } from 'vitest';
import { matchesPattern } from '../../../../lab/aws/services/eventbridge-pattern.ts';

describe('event patterns', () => {
  const event = {
    source: 'aws.cloudwatch',
    detail: { alarmName: 'p99', state: { value: 'ALARM' } },
    resources: ['arn:x:alarm:p99'],
  };
  it.each([
    [{ source: ['aws.cloudwatch'], detail: { state: { value: ['ALARM'] } } }, true],
    [{ detail: { state: { value: ['OK'] } } }, false],
    [{ resources: [{ prefix: 'arn:x:' }] }, true],
    [{ detail: { alarmName: [{ 'anything-but': ['p99'] }] } }, false],
    [{ detail: { missing: [{ exists: false }] } }, true],
  ])('%j matches: %j', (pattern, matches) => {
    expect(matchesPattern(pattern, event)).toBe(matches);
  });

  it('refuses an operator that it does not know', () => {
    expect(() => matchesPattern({ source: [{ wildcard: 'a*' }] }, event)).toThrow(/wildcard/);
  });
});
