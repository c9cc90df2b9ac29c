import fc from 'fast-check';

/** What clocks on a wall show, minute by minute, and nothing computed from an offset: what the domain is compared with. */
export const MINUTE_MS = 60_000;

/** Zones that change their clocks by an hour, by half an hour, at midnight, over the date line, or never. */
export const ZONES = [
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'America/Santiago',
  'Africa/Cairo',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Chatham',
  'Asia/Kolkata',
  'UTC',
] as const;
export type Zone = (typeof ZONES)[number];

const FROM_MS = Date.UTC(2009, 0, 1);
const UNTIL_MS = Date.UTC(2028, 0, 1);
const HOUR_MS = 60 * MINUTE_MS;
/** Longest time by which any of these zones has set its clocks back. */
const SET_BACK_MINUTES = 180;

const clocks = new Map(
  ZONES.map((timeZone) => [
    timeZone,
    // Sweden writes dates as ISO 8601 does.
    new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' }),
  ]),
);

/** `2026-10-25 02:30` */
export function clockReads(zone: Zone, epochMs: number): string {
  const clock = clocks.get(zone);
  if (!clock) throw new Error(zone);
  return clock.format(epochMs);
}

/** The latest that the clock has shown until then: a clock that was set back has to catch up first. */
export function furthestReading(zone: Zone, epochMs: number): string {
  let furthest = '';
  for (let minute = 0; minute <= SET_BACK_MINUTES; minute += 1) {
    const reading = clockReads(zone, epochMs - minute * MINUTE_MS);
    if (reading > furthest) furthest = reading;
  }
  return furthest;
}

const changes = new Map<Zone, number[]>();
/** Hours in which the zone's clock was set, looked for one hour after the other. */
function changesOf(zone: Zone): number[] {
  const known = changes.get(zone);
  if (known) return known;
  const found: number[] = [];
  const wall = (epochMs: number) => Date.parse(`${clockReads(zone, epochMs).replace(' ', 'T')}Z`);
  // Each day first: only within a day that has not 24 hours is an hour looked for.
  for (let day = FROM_MS; day < UNTIL_MS; day += 24 * HOUR_MS) {
    if (wall(day + 24 * HOUR_MS) - wall(day) === 24 * HOUR_MS) continue;
    for (let hour = day; hour < day + 24 * HOUR_MS; hour += HOUR_MS)
      if (wall(hour + HOUR_MS) - wall(hour) !== HOUR_MS) found.push(hour);
  }
  changes.set(zone, found);
  return found;
}

/** A whole minute within a day and a half of a change of the zone's clock; where there is none, any. */
export function nearChange(zone: Zone): fc.Arbitrary<number> {
  const around = changesOf(zone);
  const minutes = fc.integer({ min: -36 * 60, max: 36 * 60 });
  const middle = around.length > 0 ? fc.constantFrom(...around) : fc.integer({ min: FROM_MS, max: UNTIL_MS });
  return fc.tuple(middle, minutes).map(([ms, minute]) => (Math.floor(ms / MINUTE_MS) + minute) * MINUTE_MS);
}
