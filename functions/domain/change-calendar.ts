import * as z from 'zod';

/** As SSM takes the name of a document. */
export const changeCalendarSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9_.-]{3,128}$/,
    'the name of an SSM Change Calendar: 3-128 letters, digits, dot, dash and underscore',
  );

export interface CalendarState {
  /** SSM's word; only OPEN is open. */
  state: string;
  /** When it is no longer so, ISO 8601; absent: SSM knows of no change. */
  changesAt?: string;
}

/** Why nothing may run for so long from now on; undefined: it may. */
export function whyClosed(
  { state, changesAt }: CalendarState,
  nowEpochMs: number,
  seconds: number,
): string | undefined {
  if (state !== 'OPEN') return `is ${state}, not OPEN`;
  if (changesAt === undefined) return undefined;
  const leftSeconds = (Date.parse(changesAt) - nowEpochMs) / 1000;
  // A time that cannot be read is none.
  if (leftSeconds >= seconds) return undefined;
  return `closes at ${changesAt}, and the fault may live for the next ${seconds} s`;
}
