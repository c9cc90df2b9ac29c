import { type CloudWatchClient, paginateDescribeAlarms } from '@aws-sdk/client-cloudwatch';
import type { Cluster } from '../domain/configuration.ts';

type AlarmNow = Cluster['alarms'][number] & { state: string };

/** Only OK is OK: an alarm without data, or one that does not exist, tells nothing. Asks nobody about no alarms. */
export async function alarmsNotOk(
  alarms: Cluster['alarms'],
  readStates: (names: string[]) => Promise<Map<string, string>>,
): Promise<AlarmNow[]> {
  if (alarms.length === 0) return [];
  const states = await readStates(alarms.map(({ name }) => name));
  return alarms
    .map((alarm) => ({ ...alarm, state: states.get(alarm.name) ?? 'MISSING' }))
    .filter(({ state }) => state !== 'OK');
}

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
        if (alarm.AlarmName !== undefined) states.set(alarm.AlarmName, alarm.StateValue ?? 'UNKNOWN');
      }
    }
  }
  return states;
}
