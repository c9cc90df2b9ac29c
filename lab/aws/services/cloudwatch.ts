import { AwsError } from '../protocol/aws-error.ts';
import { isObject, type JsonObject } from '../protocol/json.ts';
import {
  type JsonService,
  type Operation,
  objectList,
  optionalString,
  refuseUnknownFields,
  requiredString,
  stringList,
} from '../protocol/service.ts';
import type { Template } from '../template/template.ts';
import { MetricAlarm, metricKey, type Sample } from './cloudwatch-metric-alarm.ts';
import type { EventBridge } from './eventbridge.ts';
import type { Usage } from './usage.ts';

export const ALARM_STATES = ['OK', 'ALARM', 'INSUFFICIENT_DATA'] as const;
export type AlarmState = (typeof ALARM_STATES)[number];
interface Alarm {
  state: AlarmState;
  reason: string;
  changedAt: string;
  /** Of a composite alarm, which has no metric. */
  alarmRule?: string;
  actionsEnabled: boolean;
}

/** What of an alarm of others a caller of the control socket may set, beside its state. */
export type AlarmSettings = Partial<Pick<Alarm, 'alarmRule' | 'actionsEnabled'>>;

/** As many as one call may name. */
const MAX_NAMES = 100;
/** As many as one page has, unless it is asked for fewer or more. */
const PAGE_RECORDS = 50;

const EVALUATE_EVERY_MS = 1000;
/** Longer than any alarm of the template looks back. */
const KEEP_SAMPLES_MS = 600_000;
/** Nothing sees a new metric before: CloudWatch says up to two minutes. This is longer than the product waits for it. */
export const NEW_METRIC_DELAY_MS = 35_000;

/**
 * CloudWatch: metrics are counted, and alarms over one of the product's own are evaluated; the state of all others is
 * set through the control socket.
 */
export class CloudWatch implements JsonService {
  readonly signingName = 'monitoring';
  readonly operations: Record<string, Operation>;
  readonly alarms = new Map<string, Alarm>();
  readonly #template: Template;
  readonly #events: Pick<EventBridge, 'emit'>;
  readonly #metricAlarms: readonly MetricAlarm[];
  readonly #samples = new Map<string, Sample[]>();
  /** Metric → when its first sample arrived. */
  readonly #since = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(template: Template, events: Pick<EventBridge, 'emit'>, usage: Usage) {
    this.#template = template;
    this.#events = events;
    this.#metricAlarms = template
      .ofType('AWS::CloudWatch::Alarm')
      .filter(({ properties }) => properties.Metrics !== undefined)
      .map((resource) => new MetricAlarm(resource));
    for (const name of mentionedAlarms(template)) {
      const changedAt = new Date().toISOString();
      this.alarms.set(name, { state: 'OK', reason: 'the lab starts quietly', changedAt, actionsEnabled: true });
    }
    for (const { name } of this.#metricAlarms) {
      const changedAt = new Date().toISOString();
      this.alarms.set(name, { state: 'INSUFFICIENT_DATA', reason: 'created', changedAt, actionsEnabled: true });
    }
    this.operations = {
      DescribeAlarms: {
        demands: (input) => {
          const names = stringList(input, 'AlarmNames');
          // Composite alarms are shown to those only who may see all.
          const isForAll = stringList(input, 'AlarmTypes').includes('CompositeAlarm');
          // An alarm of no partition that there is: nothing but `*` allows it.
          if (isForAll)
            return [{ action: 'cloudwatch:DescribeAlarms', resource: 'arn:any:cloudwatch:any:any:alarm:any' }];
          const resources = names.length === 0 ? [this.arnOf('*')] : names.map((name) => this.arnOf(name));
          return resources.map((resource) => ({ action: 'cloudwatch:DescribeAlarms', resource }));
        },
        run: (input) => this.#describe(input),
      },
      PutMetricData: {
        demands: (input) => [
          {
            action: 'cloudwatch:PutMetricData',
            resource: '*',
            context: { 'cloudwatch:namespace': requiredString(input, 'Namespace') },
          },
        ],
        run: (input) => {
          usage.metricDatums += objectList(input.MetricData).length;
          this.#keep(input, Date.now());
          return {};
        },
      },
    };
  }

  arnOf(name: string): string {
    const { accountId, region } = this.#template.place;
    return `arn:aws:cloudwatch:${region}:${accountId}:alarm:${name}`;
  }

  /** From now on alarms follow their metrics. */
  start(): void {
    this.evaluate(Date.now());
    this.#timer = setInterval(() => this.evaluate(Date.now()), EVALUATE_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  evaluate(nowMs: number): void {
    for (const alarm of this.#metricAlarms) {
      const isShown = nowMs - (this.#since.get(alarm.metric) ?? nowMs) >= NEW_METRIC_DELAY_MS;
      const samples = isShown ? (this.#samples.get(alarm.metric) ?? []) : [];
      const state = alarm.isBreached(samples, nowMs) ? 'ALARM' : 'OK';
      if (this.alarms.get(alarm.name)?.state !== state)
        this.setState(alarm.name, state, `computed from ${alarm.metric}`);
    }
  }

  #keep(input: JsonObject, nowMs: number): void {
    for (const datum of objectList(input.MetricData)) {
      const [namespace, name] = [requiredString(input, 'Namespace'), requiredString(datum, 'MetricName')];
      const key = metricKey(namespace, name, objectList(datum.Dimensions));
      const recent = (this.#samples.get(key) ?? []).filter(({ atMs }) => atMs > nowMs - KEEP_SAMPLES_MS);
      this.#samples.set(key, [...recent, { atMs: nowMs, value: Number(datum.Value) }]);
      if (!this.#since.has(key)) this.#since.set(key, nowMs);
    }
  }

  /** Sets an alarm's state, creating it if need be, and emits the state change as CloudWatch does. */
  setState(
    name: string,
    state: AlarmState,
    reason = 'set through the control socket',
    settings: AlarmSettings = {},
  ): void {
    const previous = this.alarms.get(name);
    const alarm: Alarm = {
      ...(previous ?? { actionsEnabled: true }),
      ...settings,
      ...{ state, reason, changedAt: new Date().toISOString() },
    };
    this.alarms.set(name, alarm);
    if (previous?.state === state) return;
    const describeState = (described: Alarm): JsonObject => ({
      value: described.state,
      reason: described.reason,
      timestamp: described.changedAt.replace('Z', '+0000'),
    });
    this.#events.emit({
      source: 'aws.cloudwatch',
      'detail-type': 'CloudWatch Alarm State Change',
      resources: [this.arnOf(name)],
      detail: {
        alarmName: name,
        state: describeState(alarm),
        ...(previous === undefined ? {} : { previousState: describeState(previous) }),
        configuration: alarm.alarmRule === undefined ? { metrics: [] } : { alarmRule: alarm.alarmRule },
      },
    });
  }

  /** Metric alarms alone, unless composite ones are asked for; page by page. */
  #describe(input: JsonObject): object {
    refuseUnknownFields(input, ['AlarmNames', 'StateValue', 'AlarmTypes', 'MaxRecords', 'NextToken']);
    const names = stringList(input, 'AlarmNames');
    if (names.length > MAX_NAMES) throw new AwsError('ValidationError', `AlarmNames: at most ${MAX_NAMES}`);
    const types = stringList(input, 'AlarmTypes');
    const isAskedFor = ({ alarmRule }: Alarm) =>
      alarmRule === undefined ? types.length === 0 || types.includes('MetricAlarm') : types.includes('CompositeAlarm');
    const chosen = [...this.alarms].filter(
      ([name, alarm]) =>
        isAskedFor(alarm) &&
        (names.length === 0 || names.includes(name)) &&
        (input.StateValue ?? alarm.state) === alarm.state,
    );
    const start = Number(optionalString(input, 'NextToken') ?? 0);
    const end = start + Number(input.MaxRecords ?? PAGE_RECORDS);
    const page = chosen.slice(start, end);
    return {
      MetricAlarms: page
        .filter(([, { alarmRule }]) => alarmRule === undefined)
        .map(([name, alarm]) => this.#shown(name, alarm)),
      CompositeAlarms: page
        .filter(([, { alarmRule }]) => alarmRule !== undefined)
        .map(([name, alarm]) => ({ ...this.#shown(name, alarm), AlarmRule: alarm.alarmRule })),
      ...(end < chosen.length ? { NextToken: String(end) } : {}),
    };
  }

  #shown(name: string, { state, reason, changedAt, actionsEnabled }: Alarm): object {
    return {
      ...{ AlarmName: name, AlarmArn: this.arnOf(name), ActionsEnabled: actionsEnabled },
      ...{ StateValue: state, StateReason: reason, StateUpdatedTimestamp: Date.parse(changedAt) / 1000 },
    };
  }
}

/** Alarms of the template, and the names and ARNs that its rules wait for. */
function mentionedAlarms(template: Template): Set<string> {
  const names = new Set(template.ofType('AWS::CloudWatch::Alarm').map((alarm) => alarm.name));
  for (const { properties } of template.ofType('AWS::Events::Rule')) {
    const pattern = properties.EventPattern;
    if (!isObject(pattern)) continue;
    const detail = isObject(pattern.detail) ? pattern.detail : {};
    for (const name of Array.isArray(detail.alarmName) ? detail.alarmName : [])
      if (typeof name === 'string') names.add(name);
    for (const arn of Array.isArray(pattern.resources) ? pattern.resources : []) {
      const name = typeof arn === 'string' ? /:alarm:(.+)$/.exec(arn)?.[1] : undefined;
      if (name !== undefined) names.add(name);
    }
  }
  return names;
}
