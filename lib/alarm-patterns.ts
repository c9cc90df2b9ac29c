import type { EventPattern } from 'aws-cdk-lib/aws-events';

/** EventBridge takes no longer pattern. Characters. */
export const MAX_PATTERN_CHARACTERS = 2048;

/** What CloudWatch says when one of these alarms fires, metric and composite alike: as many patterns as they need. */
export function alarmPatterns(names: readonly string[]): EventPattern[] {
  const groups: string[][] = [];
  for (const name of new Set(names)) {
    const last = groups.at(-1);
    if (last && sizeOf([...last, name]) <= MAX_PATTERN_CHARACTERS) last.push(name);
    else groups.push([name]);
  }
  return groups.map(patternOf);
}

function patternOf(alarmName: string[]): EventPattern {
  return {
    source: ['aws.cloudwatch'],
    detailType: ['CloudWatch Alarm State Change'],
    detail: { alarmName, state: { value: ['ALARM'] } },
  };
}

/** As it is sent: `detailType` is one character longer there. */
function sizeOf(alarmName: string[]): number {
  return JSON.stringify(patternOf(alarmName)).length + 1;
}
