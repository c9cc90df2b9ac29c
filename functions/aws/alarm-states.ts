import {
  type CloudWatchClient,
  type CompositeAlarm,
  type MetricAlarm,
  paginateDescribeAlarms,
} from '@aws-sdk/client-cloudwatch';

/** CloudWatch takes at most this many names in a call. */
const NAMES_A_CALL = 100;

/** State of each alarm that exists, metric and composite, by name. @throws the service's error */
export async function readAlarmStates(
  client: CloudWatchClient,
  names: readonly string[],
): Promise<Map<string, string>> {
  const states = new Map<string, string>();
  for (let start = 0; start < names.length; start += NAMES_A_CALL) {
    const AlarmNames = names.slice(start, start + NAMES_A_CALL);
    const pages = paginateDescribeAlarms({ client }, { AlarmNames, AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] });
    for await (const page of pages) {
      for (const alarm of [...(page.MetricAlarms ?? []), ...(page.CompositeAlarms ?? [])]) {
        if (alarm.AlarmName !== undefined) states.set(alarm.AlarmName, stateOf(alarm));
      }
    }
  }
  return states;
}

/** One that somebody has silenced is not OK: whoever it calls would not be called. */
function stateOf(alarm: MetricAlarm | CompositeAlarm): string {
  if (alarm.StateValue !== 'OK') return alarm.StateValue ?? 'UNKNOWN';
  if (alarm.ActionsEnabled === false) return 'SILENCED';
  return 'ActionsSuppressedBy' in alarm && alarm.ActionsSuppressedBy !== undefined ? 'SILENCED' : 'OK';
}
