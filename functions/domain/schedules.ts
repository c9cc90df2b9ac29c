import * as z from 'zod';
import { timeZoneSchema } from './window.ts';

/** With a time behind it, it is the id of an experiment. */
const scheduleName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/, 'letters, digits, dash and underscore, at most 32');

const scheduleSchema = z.strictObject({
  /** `cron(…)` or `rate(…)`, as EventBridge Scheduler takes them. */
  expression: z.string(),
  timeZone: timeZoneSchema.default('UTC'),
  /** The body of a request, without its id. */
  experiment: z.looseObject({
    experimentId: z.never('is made of the name of the schedule and the time: leave it out').optional(),
  }),
  /** `false`: nothing comes by itself; `holdfast schedule run` still does it. */
  enabled: z.boolean().default(true),
  /**
   * Approves its starts, where the cluster asks for a second person, until the end of that day (UTC). `hash` is that of the
   * experiment that was approved: a refusal says which it would have to be.
   */
  standingApproval: z
    .strictObject({
      by: z.string().startsWith('arn:', 'the ARN of a principal'),
      until: z.iso.date(),
      hash: z.string(),
    })
    .optional(),
});
export type Schedule = z.output<typeof scheduleSchema>;
export type Schedules = Readonly<Record<string, Schedule>>;

export const schedulesSchema = z.record(scheduleName, scheduleSchema).default({});

/** What the function that runs a schedule is sent; `scheduledAt` as EventBridge Scheduler says it: UTC, whole seconds. */
export const scheduleEventSchema = z.strictObject({
  schedule: scheduleName,
  scheduledAt: z.iso.datetime({ precision: 0 }),
  /** Who asks for it out of turn; absent: the schedule itself. */
  caller: z.strictObject({ arn: z.string(), accountId: z.string(), sourceIp: z.string() }).optional(),
});
export type ScheduleEvent = z.output<typeof scheduleEventSchema>;

/** The same for every delivery of one time, so that a second one starts nothing. */
export function experimentIdAt(name: string, scheduledAt: string): string {
  return `${name}-${scheduledAt.replace(/[-:]/g, '')}`;
}

/** Who it is in the log. */
export function principalOf(name: string): string {
  return `schedule/${name}`;
}

/** The body of its request for that time. */
export function bodyAt(name: string, { experiment }: Pick<Schedule, 'experiment'>, scheduledAt: string): string {
  return JSON.stringify({ ...experiment, experimentId: experimentIdAt(name, scheduledAt) });
}
