import { randomUUID } from 'node:crypto';
import { servicePrincipal } from '../iam/roles.ts';
import { isObject, type Json, type JsonObject } from '../protocol/json.ts';
import {
  type JsonService,
  type Operation,
  objectList,
  optionalString,
  refuseUnknownFields,
  requiredString,
} from '../protocol/service.ts';
import type { Resource, Template } from '../template/template.ts';
import { transformInput } from './eventbridge-input.ts';
import { matchesPattern } from './eventbridge-pattern.ts';
import type { Lambda } from './lambda.ts';
import type { Sns } from './sns.ts';

const SERVICE = servicePrincipal('events.amazonaws.com');
/** Its quota for one pattern. */
const MAX_PATTERN_CHARACTERS = 2048;
const UNIT_MS: Record<string, number> = {
  ...{ minute: 60_000, minutes: 60_000, hour: 3_600_000, hours: 3_600_000 },
  ...{ day: 86_400_000, days: 86_400_000 },
};

/** EventBridge: events, the template's rules and schedules, Lambda and SNS targets. */
export class EventBridge implements JsonService {
  readonly signingName = 'events';
  readonly operations: Record<string, Operation>;
  /** Every event of this run, newest last. */
  readonly events: JsonObject[] = [];
  /** EventBridge delivers at least once: when set, it delivers everything twice. */
  deliverTwice = false;
  readonly #template: Template;
  readonly #lambda: Lambda;
  readonly #sns: Sns;
  readonly #rules: Resource[];
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(template: Template, lambda: Lambda, sns: Sns) {
    this.#template = template;
    this.#lambda = lambda;
    this.#sns = sns;
    this.#rules = template.ofType('AWS::Events::Rule').filter(({ properties }) => properties.State !== 'DISABLED');
    for (const { logicalId, properties } of this.#rules) {
      const characters = JSON.stringify(properties.EventPattern ?? {}).length;
      if (characters > MAX_PATTERN_CHARACTERS) {
        throw new Error(
          `${logicalId}: its pattern has ${characters} characters, EventBridge takes ${MAX_PATTERN_CHARACTERS}`,
        );
      }
    }
    this.operations = {
      PutEvents: {
        demands: (input) =>
          objectList(input.Entries).map((entry) => ({
            action: 'events:PutEvents',
            resource: this.#busArn(optionalString(entry, 'EventBusName')),
            context: {
              'events:source': requiredString(entry, 'Source'),
              'events:detail-type': requiredString(entry, 'DetailType'),
            },
          })),
        run: (input) => this.#put(input),
      },
    };
  }

  /** Starts the schedules. */
  start(): void {
    for (const rule of this.#rules) {
      const expression = rule.properties.ScheduleExpression;
      if (typeof expression !== 'string') continue;
      const match = /^rate\((\d+) (\w+)\)$/.exec(expression);
      const unitMs = UNIT_MS[match?.[2] ?? ''];
      if (match === null || unitMs === undefined)
        throw new Error(`${rule.logicalId}: the lab knows rate(n minutes, hours or days), not ${expression}`);
      const fire = () => {
        const event = this.#envelope({
          source: 'aws.events',
          'detail-type': 'Scheduled Event',
          resources: [rule.arn ?? ''],
          detail: {},
        });
        void this.#deliver(rule, event);
      };
      this.#timers.push(setInterval(fire, Number(match[1]) * unitMs));
    }
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** An event of AWS's own on the default bus, e.g. an alarm's state change. */
  emit(event: { source: string; 'detail-type': string; resources: string[]; detail: JsonObject }): void {
    this.#route(this.#envelope(event), 'default');
  }

  #put(input: JsonObject): object {
    refuseUnknownFields(input, ['Entries']);
    const results = objectList(input.Entries).map((entry) => {
      const detail: Json = JSON.parse(requiredString(entry, 'Detail'));
      const event = this.#envelope({
        source: requiredString(entry, 'Source'),
        'detail-type': requiredString(entry, 'DetailType'),
        resources: Array.isArray(entry.Resources) ? entry.Resources : [],
        detail,
      });
      this.#route(event, busName(optionalString(entry, 'EventBusName')));
      return { EventId: event.id ?? '' };
    });
    return { FailedEntryCount: 0, Entries: results };
  }

  #route(event: JsonObject, bus: string): void {
    this.events.push(event);
    for (const rule of this.#rules) {
      const pattern = rule.properties.EventPattern;
      if (!isObject(pattern) || busName(optionalString(rule.properties, 'EventBusName')) !== bus) continue;
      if (!matchesPattern(pattern, event)) continue;
      for (let times = this.deliverTwice ? 2 : 1; times > 0; times -= 1) void this.#deliver(rule, event);
    }
  }

  async #deliver(rule: Resource, event: JsonObject): Promise<void> {
    const from = { 'aws:SourceArn': rule.arn ?? '', 'aws:SourceAccount': this.#template.place.accountId };
    for (const target of objectList(rule.properties.Targets)) {
      const arn = String(target.Arn);
      try {
        const input = inputOf(target, event);
        if (arn.includes(':lambda:')) await this.#lambda.enqueue(SERVICE, arn, JSON.parse(input), from);
        else if (arn.includes(':sns:')) await this.#sns.publish(SERVICE, arn, { message: input }, from);
        else throw new Error(`the lab knows Lambda and SNS targets, not ${arn}`);
      } catch (error) {
        console.error(`events: rule ${rule.name} could not reach ${arn}:`, error);
      }
    }
  }

  #envelope(event: JsonObject): JsonObject {
    const { accountId, region } = this.#template.place;
    return { version: '0', id: randomUUID(), account: accountId, time: new Date().toISOString(), region, ...event };
  }

  #busArn(nameOrArn: string | undefined): string {
    const { accountId, region } = this.#template.place;
    return `arn:aws:events:${region}:${accountId}:event-bus/${busName(nameOrArn)}`;
  }
}

function inputOf(target: JsonObject, event: JsonObject): string {
  if (target.InputPath !== undefined) throw new Error('the lab knows Input and InputTransformer, not InputPath');
  if (isObject(target.InputTransformer)) return transformInput(target.InputTransformer, event);
  return typeof target.Input === 'string' ? target.Input : JSON.stringify(event);
}

const busName = (nameOrArn: string | undefined): string => (nameOrArn ?? 'default').replace(/^.*event-bus\//, '');
