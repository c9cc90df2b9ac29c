import { randomUUID } from 'node:crypto';
import { rolePrincipal } from '../iam/roles.ts';
import type { Assumer } from '../iam/trust.ts';
import { AwsError } from '../protocol/aws-error.ts';
import { isObject, type JsonObject } from '../protocol/json.ts';
import type { Principal } from '../protocol/principal.ts';
import type { Resource, Template } from '../template/template.ts';
import type { Lambda } from './lambda.ts';
import { type Expression, scheduleExpression } from './scheduler-expression.ts';
import type { Sqs } from './sqs.ts';

const SERVICE = 'scheduler.amazonaws.com';
const MINUTE_MS = 60_000;
const LOOK_EVERY_MS = 500;
/** A clock that is moved further at once would have every minute between looked at. */
const MAX_MOVE_MINUTES = 3 * 24 * 60;
/** From one attempt to the next, twice as long each time. */
const FIRST_RETRY_MS = 1000;
/** What a later attempt may do better. */
const PASSING = ['TooManyRequestsException', 'ServiceException', 'InternalFailure'];

interface Schedule {
  name: string;
  arn: string;
  expression: Expression;
  target: Target;
}
interface Target {
  arn: string;
  roleArn: string;
  assumer: Assumer;
  input: string;
  deadLetterArn: string | undefined;
  maximumRetryAttempts: number;
  maximumEventAgeSeconds: number;
}

/**
 * EventBridge Scheduler: the template's schedules, by a clock of its own that a test can move. It calls Lambda's queue in the
 * schedule's role, at least once; what it could not deliver goes to the schedule's dead-letter queue.
 */
export class Scheduler {
  /** When set, it delivers everything twice, as it may at any time. */
  deliverTwice = false;
  readonly #template: Template;
  readonly #lambda: Lambda;
  readonly #sqs: Sqs;
  readonly #schedules: Schedule[];
  readonly #timers = new Set<NodeJS.Timeout>();
  #aheadMs = 0;
  #createdMinute = 0;
  /** The last minute that was looked at. */
  #minute = 0;

  /** @throws Error for a schedule that AWS would refuse, or that the lab does not know. */
  constructor(template: Template, lambda: Lambda, sqs: Sqs) {
    this.#template = template;
    this.#lambda = lambda;
    this.#sqs = sqs;
    this.#schedules = template
      .ofType('AWS::Scheduler::Schedule')
      .map((resource) => ({ resource, schedule: this.#read(resource) }))
      .filter(({ resource }) => resource.properties.State !== 'DISABLED')
      .map(({ schedule }) => schedule);
  }

  start(): void {
    this.#minute = this.#now() - 1;
    this.#createdMinute = this.#now();
    this.#timers.add(setInterval(() => this.#look(), LOOK_EVERY_MS));
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  /**
   * Sets the clock; it goes on from there. What was due on the way is delivered, when the way is at most three days long; a longer
   * one is as if the schedules had been made at its end.
   */
  moveTo(epochMs: number): void {
    this.#aheadMs = epochMs - Date.now();
    if (Math.abs(this.#now() - this.#minute) > MAX_MOVE_MINUTES) this.#minute = this.#now() - 1;
    this.#look();
  }

  #now(): number {
    return Math.floor((Date.now() + this.#aheadMs) / MINUTE_MS);
  }

  #look(): void {
    for (const now = this.#now(); this.#minute < now; ) {
      this.#minute += 1;
      for (const schedule of this.#schedules)
        if (schedule.expression.isDue(this.#minute, this.#createdMinute)) this.#fire(schedule, this.#minute);
    }
  }

  #fire(schedule: Schedule, minute: number): void {
    const scheduledTime = new Date(minute * MINUTE_MS).toISOString().replace('.000Z', 'Z');
    for (let times = this.deliverTwice ? 2 : 1; times > 0; times -= 1)
      void this.#attempt(schedule, scheduledTime, randomUUID(), Date.now(), 1);
  }

  async #attempt(schedule: Schedule, time: string, id: string, dueMs: number, attempt: number): Promise<void> {
    const { target } = schedule;
    const input = target.input
      .replaceAll('<aws.scheduler.schedule-arn>', schedule.arn)
      .replaceAll('<aws.scheduler.scheduled-time>', time)
      .replaceAll('<aws.scheduler.execution-id>', id)
      .replaceAll('<aws.scheduler.attempt-number>', String(attempt));
    const principal = rolePrincipal(this.#template, target.roleArn, target.assumer, id);
    try {
      await this.#lambda.enqueue(principal, target.arn, JSON.parse(input));
    } catch (error) {
      const passes = error instanceof AwsError && PASSING.includes(error.code);
      const delayMs = FIRST_RETRY_MS * 2 ** (attempt - 1);
      const isYoung = Date.now() + delayMs - dueMs <= target.maximumEventAgeSeconds * 1000;
      if (passes && attempt <= target.maximumRetryAttempts && isYoung) {
        this.#timers.add(setTimeout(() => void this.#attempt(schedule, time, id, dueMs, attempt + 1), delayMs));
        return;
      }
      console.error(`scheduler: ${schedule.name} could not reach ${target.arn}:`, error);
      await this.#giveUp(principal, schedule, input, attempt, error);
    }
  }

  async #giveUp(principal: Principal, schedule: Schedule, input: string, attempt: number, error: unknown) {
    const { deadLetterArn, arn: targetArn } = schedule.target;
    if (deadLetterArn === undefined) return;
    const attributes = {
      SCHEDULE_ARN: schedule.arn,
      TARGET_ARN: targetArn,
      ERROR_CODE: error instanceof AwsError ? error.code : 'InternalFailure',
      ERROR_MESSAGE: error instanceof Error ? error.message : String(error),
      RETRY_ATTEMPTS: String(attempt - 1),
    };
    await this.#sqs
      .send(principal, deadLetterArn, input, attributes)
      .catch((failure: unknown) => console.error(`scheduler: dead letter of ${schedule.name} is lost:`, failure));
  }

  #read({ logicalId, name, properties }: Resource): Schedule {
    const refuse = (why: string): never => {
      throw new Error(`${logicalId}: ${why}`);
    };
    const { GroupName, ScheduleExpression, ScheduleExpressionTimezone, FlexibleTimeWindow, StartDate, EndDate } =
      properties;
    if (!isObject(FlexibleTimeWindow) || FlexibleTimeWindow.Mode !== 'OFF')
      refuse('the lab knows FlexibleTimeWindow OFF only');
    if (StartDate !== undefined || EndDate !== undefined) refuse('the lab knows neither StartDate nor EndDate');
    const group = String(GroupName ?? 'default');
    const groups = this.#template.ofType('AWS::Scheduler::ScheduleGroup').map((each) => each.name);
    if (group !== 'default' && !groups.includes(group)) refuse(`no schedule group ${group}`);
    const { region, accountId } = this.#template.place;
    return {
      name,
      arn: `arn:aws:scheduler:${region}:${accountId}:schedule/${group}/${name}`,
      expression: scheduleExpression(String(ScheduleExpression), String(ScheduleExpressionTimezone ?? 'UTC')),
      target: this.#targetOf(isObject(properties.Target) ? properties.Target : refuse('it has no Target'), {
        service: SERVICE,
        // What Scheduler names is the group, so that one role can serve all schedules in it.
        sourceArn: `arn:aws:scheduler:${region}:${accountId}:schedule-group/${group}`,
      }),
    };
  }

  /** Attempts and age as Scheduler has them where a schedule says nothing. @throws Error for a role that Scheduler cannot take */
  #targetOf({ Arn, RoleArn, Input, DeadLetterConfig, RetryPolicy }: JsonObject, assumer: Assumer): Target {
    const retry = isObject(RetryPolicy) ? RetryPolicy : {};
    const roleArn = String(RoleArn);
    rolePrincipal(this.#template, roleArn, assumer, 'created');
    return {
      arn: String(Arn),
      ...{ roleArn, assumer },
      input: String(Input ?? '{}'),
      deadLetterArn: isObject(DeadLetterConfig) ? String(DeadLetterConfig.Arn) : undefined,
      maximumRetryAttempts: Number(retry.MaximumRetryAttempts ?? 185),
      maximumEventAgeSeconds: Number(retry.MaximumEventAgeInSeconds ?? 86_400),
    };
  }
}
