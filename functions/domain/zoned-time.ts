/** Instants and what the clocks on the walls of a time zone show then, by the zone database of the runtime. */

/** Milliseconds since the epoch that a clock set to UTC would show for the same digits: wall times can be compared and counted. */
export type WallMs = number;

export const DAY_MS = 24 * 3600 * 1000;
const SECOND_MS = 1000;
const formats = new Map<string, Intl.DateTimeFormat>();

/**
 * Whether it is the name of a zone of the IANA database, as the database writes it: no offset such as `+01:00`, which has no
 * daylight-saving time, and no other case, which other databases would not find.
 */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    const known = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
    // An alias may be answered with the name that stands for it now.
    return known === name || known.toLowerCase() !== name.toLowerCase();
  } catch {
    return false;
  }
}

/** @throws RangeError for an unknown zone */
export function wallOf(epochMs: number, timeZone: string): WallMs {
  const parts = formatOf(timeZone).formatToParts(epochMs);
  const part = (type: Intl.DateTimeFormatPartTypes) => Number(parts.find((each) => each.type === type)?.value);
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
}

/**
 * The first instant at which the clocks show that wall time or a later one. Of a time that is there twice, as when clocks go
 * back, it is the first; of one that is skipped, the end of what is skipped.
 */
export function firstInstantAt(wall: WallMs, timeZone: string): number {
  const offset = (epochMs: number) => wallOf(epochMs, timeZone) - Math.floor(epochMs / SECOND_MS) * SECOND_MS;
  // A zone changes its offset at most once in these two days.
  const [before, after] = [offset(wall - DAY_MS), offset(wall + DAY_MS)];
  const early = wall - before;
  if (offset(early) === before) return early;
  const late = wall - after;
  if (offset(late) === after) return late;
  // Skipped: the clocks jump over it between the two.
  let [still, already] = [late, early];
  while (already - still > SECOND_MS) {
    const middle = Math.floor((still + already) / 2 / SECOND_MS) * SECOND_MS;
    if (offset(middle) === before) still = middle;
    else already = middle;
  }
  return already;
}

/** Midnight of the day. */
export function dayOf(wall: WallMs): WallMs {
  return Math.floor(wall / DAY_MS) * DAY_MS;
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone,
    ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' },
    hourCycle: 'h23',
  });
  formats.set(timeZone, made);
  return made;
}
