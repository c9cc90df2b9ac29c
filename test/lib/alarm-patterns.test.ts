import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesPattern } from '../../lab/aws/services/eventbridge-pattern.ts';
import { alarmPatterns, MAX_PATTERN_CHARACTERS } from '../../lib/alarm-patterns.ts';

/** As CloudFormation has it. */
const inTemplate = (pattern: ReturnType<typeof alarmPatterns>[number]) => {
  const { detailType, source, detail } = pattern;
  return JSON.parse(JSON.stringify({ source, 'detail-type': detailType, detail }));
};
const fired = (alarmName: string, value = 'ALARM') => ({
  ...{ source: 'aws.cloudwatch', 'detail-type': 'CloudWatch Alarm State Change' },
  detail: { alarmName, state: { value }, configuration: { alarmRule: 'ALARM("a")' } },
});

describe('the patterns for alarms', () => {
  it('let each name through once that CloudWatch takes, however many there are, and none is longer than EventBridge takes', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 200, size: 'max' })
      .filter((text) => !/\p{Cc}/u.test(text));
    fc.assert(
      fc.property(fc.array(name, { minLength: 30, maxLength: 60, size: 'max' }), (names) => {
        const patterns = alarmPatterns(names).map(inTemplate);
        for (const pattern of patterns)
          expect(JSON.stringify(pattern).length).toBeLessThanOrEqual(MAX_PATTERN_CHARACTERS);
        for (const each of names)
          expect(patterns.filter((pattern) => matchesPattern(pattern, fired(each)))).toHaveLength(1);
      }),
      // To make such lists smaller takes longer than to read one.
      { numRuns: 30, endOnFailure: true },
    );
  });

  it('are none where there is no alarm, and let nothing else through', () => {
    expect(alarmPatterns([])).toEqual([]);
    const [only, ...others] = alarmPatterns(['a', 'a']).map(inTemplate);
    expect(others).toEqual([]);
    expect(matchesPattern(only, fired('b'))).toBe(false);
    expect(matchesPattern(only, fired('a', 'OK'))).toBe(false);
  });
});
