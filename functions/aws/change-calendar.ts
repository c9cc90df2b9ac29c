import { GetCalendarStateCommand, type SSMClient } from '@aws-sdk/client-ssm';
import type { CalendarState } from '../domain/change-calendar.ts';

/** What SSM says of the calendar now. @throws the service's error, also where there is no such calendar */
export async function readChangeCalendar(client: SSMClient, name: string): Promise<CalendarState> {
  const { State, NextTransitionTime } = await client.send(new GetCalendarStateCommand({ CalendarNames: [name] }));
  return { state: State ?? 'UNKNOWN', ...(NextTransitionTime ? { changesAt: NextTransitionTime } : {}) };
}
