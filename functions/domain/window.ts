import * as z from 'zod';
import { DAY_MS, dayOf, firstInstantAt, isTimeZone, wallOf } from './zoned-time.ts';

/** In the order of `Date.getUTCDay`. */
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] as const;
const MINUTE_MS = 60_000;
/** Windows without a gap between them are one; after a week of them it is always open. */
const MAX_JOINED = 8;

export const timeZoneSchema = z
  .string()
  .refine(isTimeZone, 'is no time zone of the IANA database, as Europe/Berlin or UTC');
const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day from 00:00 to 23:59');

/** When experiments may run. `end` before `start`: over midnight, to the next day. */
export const windowSchema = z
  .strictObject({
    /** On which the window begins. */
    daysOfWeek: z.array(z.enum(DAYS)).min(1),
    start: clockTime,
    end: z.union([clockTime, z.literal('24:00')], 'a time of day from 00:00 to 24:00'),
    timeZone: timeZoneSchema.default('UTC'),
  })
  .refine(({ start, end }) => start !== end, {
    path: ['end'],
    message: 'must not be start; a whole day ends at 24:00',
  });
export type Window = z.output<typeof windowSchema>;

/**
 * Until when it is open; undefined: it is not open now. A time that the clocks show twice opens and closes it the first time;
 * one that they skip, when they have skipped it.
 * @returns milliseconds since the epoch
 */
export function openUntil(window: Window, nowEpochMs: number): number | undefined {
  let closesAtMs: number | undefined;
  for (let joined = 0; joined < MAX_JOINED; joined += 1) {
    const next = closingAfter(window, closesAtMs ?? nowEpochMs);
    if (next === undefined) break;
    closesAtMs = next;
  }
  return closesAtMs;
}

/** For a person. */
export function windowText({ daysOfWeek, start, end, timeZone }: Window): string {
  return `${daysOfWeek.join(', ')} from ${start} to ${end} ${timeZone}`;
}

/** The end of what has begun and not ended; tomorrow may have begun before the clocks were set back over midnight. */
function closingAfter({ daysOfWeek, start, end, timeZone }: Window, epochMs: number): number | undefined {
  const today = dayOf(wallOf(epochMs, timeZone));
  const closings = [today + DAY_MS, today, today - DAY_MS].map((day) => {
    if (!daysOfWeek.some((name) => name === DAYS[new Date(day).getUTCDay()])) return undefined;
    const [from, to] = [minutesOf(start), minutesOf(end)];
    const opensAtMs = firstInstantAt(day + from * MINUTE_MS, timeZone);
    const closesAtMs = firstInstantAt(day + to * MINUTE_MS + (to < from ? DAY_MS : 0), timeZone);
    return opensAtMs <= epochMs && epochMs < closesAtMs ? closesAtMs : undefined;
  });
  return closings.find((closing) => closing !== undefined);
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return 60 * hours + minutes;
}
