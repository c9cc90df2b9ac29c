import { stringify } from 'yaml';
import { MESSAGE_GROUP, MESSAGE_SUBJECT, MESSAGE_TEMPLATE } from '../functions/domain/alert-message.ts';

export interface AlertTopic {
  topicArn: string;
  region: string;
}

/**
 * An Alertmanager that tells the topic of every alert, after the 2 s in which the guard ends by itself what it sees too and says why
 * in its own numbers; and of one that goes on again each minute: an experiment may have begun meanwhile.
 */
export function alertmanagerConfiguration({ topicArn, region }: AlertTopic): string {
  const receiver = 'holdfast';
  return text({
    route: {
      receiver,
      group_by: [...MESSAGE_GROUP],
      ...{ group_wait: '2s', group_interval: '5s', repeat_interval: '1m' },
    },
    receivers: [
      {
        name: receiver,
        sns_configs: [{ topic_arn: topicArn, sigv4: { region }, subject: MESSAGE_SUBJECT, message: MESSAGE_TEMPLATE }],
      },
    ],
  });
}

/** For who has an Alertmanager: a configuration of its own, or a receiver and a route to take over. */
export const EXAMPLE_FILE = 'examples/alertmanager/alertmanager.yml';
export const EXAMPLE_TOPIC: AlertTopic = {
  topicArn: 'arn:aws:sns:eu-west-1:111122223333:Holdfast-AlertsTopic',
  region: 'eu-west-1',
};
export function exampleConfiguration(): string {
  return [
    '# An Alertmanager that ends experiments: see docs/alerts.md. Yours are the topic (output AlertsTopicArn) and its Region. Written',
    '# by `npm run generate`.',
    alertmanagerConfiguration(EXAMPLE_TOPIC),
  ].join('\n');
}

/** The same as AMP takes it. */
export function alertManagerDefinition(topic: AlertTopic): string {
  return text({ alertmanager_config: alertmanagerConfiguration(topic) });
}

function text(value: object): string {
  return stringify(value, { lineWidth: 0 });
}
