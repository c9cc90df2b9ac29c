/**
 * Whether a schedule of EventBridge Scheduler is due in a minute: told from what a clock on the wall shows in that minute, and
 * from nothing else. Of cron the lab knows numbers and names, lists, ranges, steps, `*` and `?`.
 */
const MINUTE_MS = 60_000;
/** Longest time by which a zone sets its clocks back. */
const SET_BACK_MINUTES = 180;
const UNIT_MINUTES: Record<string, number> = { minute: 1, hour: 60, day: 1440 };
const NAMES: Record<string, string[]> = {
  month: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
  weekday: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'],
};

export interface Expression {
  /** @param epochMinute whole minutes since the epoch. @param createdMinute from which a rate counts; it is due then, too */
  isDue(epochMinute: number, createdMinute: number): boolean;
}

/** @throws Error for an expression or a zone that the lab does not know. */
export function scheduleExpression(expression: string, timeZone: string): Expression {
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression);
  const every = Number(rate?.[1]) * (UNIT_MINUTES[rate?.[2] ?? ''] ?? Number.NaN);
  if (every > 0) return { isDue: (minute, created) => minute >= created && (minute - created) % every === 0 };
  const fields = /^cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)$/.exec(expression)?.slice(1);
  if (fields === undefined) throw new Error(`the lab knows cron(six fields) and rate(number unit), not ${expression}`);
  const [minutes = '', hours = '', days = '', months = '', weekdays = '', years = ''] = fields;
  const clock = wallClock(timeZone);
  return {
    isDue(epochMinute) {
      const shows = clock(epochMinute);
      const due =
        matches(years, shows.year, 1970) &&
        matches(months, shows.month, 1, NAMES.month) &&
        matches(days, shows.day, 1) &&
        matches(weekdays, shows.weekday, 1, NAMES.weekday) &&
        matches(hours, shows.hour, 0) &&
        matches(minutes, shows.minute, 0);
      return due && !wasShownBefore(clock, epochMinute);
    },
  };
}

/** When clocks are set back, what they show again is due no second time. */
function wasShownBefore(clock: (epochMinute: number) => Reading, epochMinute: number): boolean {
  const { text } = clock(epochMinute);
  for (let back = 1; back <= SET_BACK_MINUTES; back += 1) if (clock(epochMinute - back).text === text) return true;
  return false;
}

interface Reading {
  text: string;
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  /** 1 is Sunday. */
  weekday: number;
}

function wallClock(timeZone: string): (epochMinute: number) => Reading {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });
  return (epochMinute) => {
    const text = format.format(epochMinute * MINUTE_MS);
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = text.split(/[-: ]/).map(Number);
    const weekday = new Date(`${text.slice(0, 10)}T00:00:00Z`).getUTCDay() + 1;
    return { text, year, month, day, hour, minute, weekday };
  };
}

/** @param first from which `*` counts. @throws Error for a field that the lab does not know. */
function matches(field: string, value: number, first: number, names: readonly string[] = []): boolean {
  if (field === '?') return true;
  return field.split(',').some((part) => {
    const known = /^(?:\*|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/.exec(part);
    const number = (word: string | undefined) =>
      word === undefined ? undefined : names.includes(word) ? names.indexOf(word) + 1 : Number(word);
    const [from, to, step] = [number(known?.[1]), number(known?.[2]), number(known?.[3])];
    if (known === null || [from, to, step].some(Number.isNaN)) throw new Error(`the lab does not know ${part} in cron`);
    if (from === undefined) return step === undefined || (value - first) % step === 0;
    if (step === undefined) return value >= from && value <= (to ?? from);
    return value >= from && value <= (to ?? Number.POSITIVE_INFINITY) && (value - from) % step === 0;
  });
}
