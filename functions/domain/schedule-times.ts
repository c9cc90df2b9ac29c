import { DAY_MS, dayOf, firstInstantAt, type WallMs, wallOf } from './zoned-time.ts';

/**
 * Expressions of EventBridge Scheduler: `cron(minutes hours day-of-month month day-of-week year)` and `rate(value unit)`.
 * A time that the clocks skip is left out; one that they show twice comes once, the first time.
 */
export type Timetable =
  | { kind: 'RATE'; everyMs: number }
  | { kind: 'CRON'; minutes: number[]; hours: number[]; isDay: (day: WallMs) => boolean };
export type ReadExpression = { ok: true; timetable: Timetable } | { ok: false; message: string };

const MINUTE_MS = 60_000;
const UNIT_MS: Readonly<Record<string, number>> = { minute: MINUTE_MS, hour: 60 * MINUTE_MS, day: DAY_MS };
const LEAP_YEAR = 2000;
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
/** One field of a cron expression. */
interface Field {
  name: string;
  min: number;
  max: number;
  /** Words for the numbers from `min` on. */
  words?: readonly string[];
}
const FIELDS = {
  minutes: { name: 'minutes', min: 0, max: 59 },
  hours: { name: 'hours', min: 0, max: 23 },
  dayOfMonth: { name: 'day of month', min: 1, max: 31 },
  month: { name: 'month', min: 1, max: 12, words: MONTHS },
  dayOfWeek: { name: 'day of week', min: 1, max: 7, words: WEEKDAYS },
  year: { name: 'year', min: 1970, max: 2199 },
} as const satisfies Record<string, Field>;

const END_OF_TIME: WallMs = Date.UTC(FIELDS.year.max + 1, 0);

class NotRead extends Error {}

/** Reads `cron(…)` or `rate(…)`; what is wrong is said with the field of the expression and what it may hold. */
export function readExpression(expression: string): ReadExpression {
  try {
    return { ok: true, timetable: readRate(expression) ?? readCron(expression) };
  } catch (error) {
    if (error instanceof NotRead) return { ok: false, message: error.message };
    throw error;
  }
}

/**
 * The first time after `afterMs` at which a cron expression comes.
 * @returns milliseconds since the epoch; undefined: never again, or a rate, which counts from a moment that only AWS knows
 */
export function nextTime(timetable: Timetable, timeZone: string, afterMs: number): number | undefined {
  if (timetable.kind === 'RATE') return undefined;
  const { minutes, hours, isDay } = timetable;
  const times = hours.flatMap((hour) => minutes.map((minute) => (60 * hour + minute) * MINUTE_MS));
  for (let day = dayOf(wallOf(afterMs, timeZone)); day < END_OF_TIME; day += DAY_MS) {
    if (!isDay(day)) continue;
    for (const time of times) {
      const at = firstInstantAt(day + time, timeZone);
      if (at > afterMs && wallOf(at, timeZone) === day + time) return at;
    }
  }
  return undefined;
}

function readRate(expression: string): Timetable | undefined {
  const match = /^rate\((.*)\)$/.exec(expression);
  if (!match) return undefined;
  const [, value = '', unit = '', plural = ''] = /^([1-9]\d{0,4}) (minute|hour|day)(s?)$/.exec(match[1] ?? '') ?? [];
  const unitMs = UNIT_MS[unit];
  if (unitMs === undefined || (value === '1') === (plural === 's'))
    throw new NotRead('rate: one number and its unit, as rate(1 day), rate(90 minutes) or rate(12 hours)');
  return { kind: 'RATE', everyMs: Number(value) * unitMs };
}

function readCron(expression: string): Timetable {
  const match = /^cron\((.*)\)$/.exec(expression);
  if (!match) throw new NotRead('cron(minutes hours day-of-month month day-of-week year) or rate(value unit)');
  const texts = (match[1] ?? '').split(' ');
  const [minutes = '', hours = '', dayOfMonth = '', month = '', dayOfWeek = '', year = ''] = texts;
  if (texts.length !== Object.keys(FIELDS).length || texts.includes(''))
    throw new NotRead('cron: six fields, one space between them: minutes hours day-of-month month day-of-week year');
  if ((dayOfMonth === '?') === (dayOfWeek === '?'))
    throw new NotRead('cron: exactly one of day of month and day of week is ?, as in cron(0 10 ? * TUE *)');
  const months = new Set(numbersIn(month, FIELDS.month));
  const years = new Set(numbersIn(year, FIELDS.year));
  const longest = Math.max(...[...months].map((number) => daysInMonth(new Date(Date.UTC(LEAP_YEAR, number - 1)))));
  const dayIs = dayOfMonth === '?' ? readDayOfWeek(dayOfWeek) : readDayOfMonth(dayOfMonth, longest);
  return {
    kind: 'CRON',
    minutes: numbersIn(minutes, FIELDS.minutes),
    hours: numbersIn(hours, FIELDS.hours),
    isDay: (day) => {
      const date = new Date(day);
      return years.has(date.getUTCFullYear()) && months.has(date.getUTCMonth() + 1) && dayIs(date);
    },
  };
}

/** Numbers, `L` for the last day, `15W` for the weekday that is nearest to the 15th in its month. */
function readDayOfMonth(text: string, longestMonth: number): (date: Date) => boolean {
  const numbersOf = (numbers: string) => {
    const found = numbersIn(numbers, FIELDS.dayOfMonth);
    if (found.every((day) => day > longestMonth))
      throw new NotRead(`cron: day of month is ${JSON.stringify(text)}, which none of its months has`);
    return found;
  };
  if (text === 'L') return (date) => date.getUTCDate() === daysInMonth(date);
  const near = /^(\d{1,2})W$/.exec(text);
  if (near) {
    const [wanted] = numbersOf(near[1] ?? '');
    return (date) => wanted !== undefined && date.getUTCDate() === nearestWeekday(date, wanted);
  }
  const days = new Set(numbersOf(text));
  return (date) => days.has(date.getUTCDate());
}

/** Numbers from 1 for Sunday on, or words; `3#2` for the second Tuesday of a month, `6L` for the last Friday. */
function readDayOfWeek(text: string): (date: Date) => boolean {
  const weekday = (date: Date) => date.getUTCDay() + 1;
  const counted = /^(\w+)#([1-5])$/.exec(text);
  if (counted) {
    const [wanted] = numbersIn(counted[1] ?? '', FIELDS.dayOfWeek);
    return (date) => weekday(date) === wanted && Math.ceil(date.getUTCDate() / 7) === Number(counted[2]);
  }
  const last = /^(\w+)L$/.exec(text);
  if (last) {
    const [wanted] = numbersIn(last[1] ?? '', FIELDS.dayOfWeek);
    return (date) => weekday(date) === wanted && date.getUTCDate() + 7 > daysInMonth(date);
  }
  const days = new Set(numbersIn(text, FIELDS.dayOfWeek));
  return (date) => days.has(weekday(date));
}

/** `*`, `7`, `1-5`, `0/15`, and lists of them; in ascending order. @throws NotRead */
function numbersIn(text: string, field: Field): number[] {
  const refuse = (): never => {
    const words = field.words ? ` or ${field.words[0]}-${field.words.at(-1)}` : '';
    throw new NotRead(
      `cron: ${field.name} is ${JSON.stringify(text)}; allowed: ${field.min}-${field.max}${words}, with , - * /`,
    );
  };
  const numberOf = (word: string): number => {
    const named = field.words?.indexOf(word.toUpperCase()) ?? -1;
    if (named >= 0) return field.min + named;
    const value = /^\d{1,4}$/.test(word) ? Number(word) : Number.NaN;
    return value >= field.min && value <= field.max ? value : refuse();
  };
  const found = new Set<number>();
  for (const part of text.split(',')) {
    const [range = '', step, ...more] = part.split('/');
    const [first = '', last, ...others] = range.split('-');
    if (more.length > 0 || others.length > 0) refuse();
    if (step !== undefined && !/^[1-9]\d{0,3}$/.test(step)) refuse();
    const from = first === '*' ? field.min : numberOf(first);
    if (first === '*' && last !== undefined) refuse();
    const onlyOne = last === undefined && step === undefined && first !== '*';
    const to = onlyOne ? from : last === undefined ? field.max : numberOf(last);
    if (to < from) refuse();
    for (let value = from; value <= to; value += Number(step ?? 1)) found.add(value);
  }
  return [...found].sort((a, b) => a - b);
}

function daysInMonth(date: Date): number {
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
}

function nearestWeekday(date: Date, wanted: number): number {
  const day = Math.min(wanted, daysInMonth(date));
  if (day < wanted) return 0; // the month has no such day
  const weekday = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), day)).getUTCDay();
  if (weekday === 6) return day > 1 ? day - 1 : day + 2;
  if (weekday === 0) return day < daysInMonth(date) ? day + 1 : day - 2;
  return day;
}
