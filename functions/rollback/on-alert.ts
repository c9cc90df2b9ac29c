import * as z from 'zod';
import { readAlertMessage } from '../domain/alert-message.ts';
import { TTL_SECONDS } from '../domain/timing.ts';
import { log } from '../runtime/log.ts';
import { type AlarmDependencies, type AlarmResult, alarmsFired, type FiredAlarm } from './alarms-fired.ts';

const ACTOR = { function: 'on-alert' };

/** What of SNS's event is used. More may stand there. */
const eventSchema = z.object({
  Records: z
    .array(
      z.object({
        EventSource: z.literal('aws:sns'),
        Sns: z.object({
          TopicArn: z.string(),
          MessageId: z.string(),
          Message: z.string(),
          Timestamp: z.iso.datetime(),
        }),
      }),
    )
    .min(1),
});
type Notification = z.output<typeof eventSchema>['Records'][number]['Sns'];

export interface OnAlertDependencies extends AlarmDependencies {
  /** Names of the configured clusters. */
  clusters: readonly string[];
  topicArn: string;
  /** Counts a message that was refused. */
  countRefused(): void;
}

/** `refused`: why a message was not understood. */
export interface OnAlertResult extends AlarmResult {
  refused: string[];
}

/**
 * Alerts of a cluster end the experiment that holds it, as its alarms do. What is not a message of an Alertmanager from our topic is
 * refused: logged, counted, and nothing else.
 * @throws the errors of the tables, so that the event is delivered again.
 */
export async function onAlert(event: unknown, dependencies: OnAlertDependencies): Promise<OnAlertResult> {
  const result: OnAlertResult = { released: [], expected: [], ignored: [], refused: [] };
  const parsed = eventSchema.safeParse(event);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || '(event)'}: ${message}`);
    refuse({}, `is no notification of SNS: ${problems.join('; ')}`);
    return result;
  }
  const alarms = parsed.data.Records.flatMap(({ Sns }) => alarmsIn(Sns));
  const done = await alarmsFired(alarms, ACTOR, dependencies);
  return { ...done, ignored: [...result.ignored, ...done.ignored], refused: result.refused };

  function alarmsIn({ TopicArn, MessageId, Message, Timestamp }: Notification): FiredAlarm[] {
    const about = { topicArn: TopicArn, messageId: MessageId, publishedAt: Timestamp };
    if (TopicArn !== dependencies.topicArn) return refuse(about, 'is of another topic');
    const message = readAlertMessage(Message);
    if ('refused' in message) return refuse(about, `is no message of our template: ${message.refused}`);
    const ageSeconds = (dependencies.clock.nowEpochMs() - Date.parse(Timestamp)) / 1000;
    // No fault lives longer: an older alert could only end an experiment that it does not concern.
    if (ageSeconds > TTL_SECONDS.max) return ignore(about, `the message is ${Math.round(ageSeconds)} s old`);
    if (message.firing.length === 0)
      return ignore(about, `${message.resolved} alerts are resolved, and none is firing`);
    if (message.total > message.firing.length)
      log.warn('more alerts than the message tells of', { ...about, total: message.total });
    return message.firing.flatMap(({ alert: name, cluster, severity, summary, startsAt: firedAt }) => {
      const alarm = { cluster, name, severity, firedAt, reason: summary || 'no summary given' };
      if (dependencies.clusters.includes(cluster)) return [alarm];
      const why = cluster === '' ? `${name} has no label cluster` : `no cluster is called ${cluster}`;
      return ignore({ ...about, ...alarm }, why);
    });
  }

  function ignore(which: object, why: string): [] {
    log.info('alert ignored', { ...which, why });
    result.ignored.push(why);
    return [];
  }

  function refuse(which: object, why: string): [] {
    log.error('alert message refused', { ...which, why });
    dependencies.countRefused();
    result.refused.push(why);
    return [];
  }
}
