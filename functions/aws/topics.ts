import { GetTopicAttributesCommand, PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { Notice } from '../domain/notice.ts';

/** One topic of SNS. */
export interface Topic {
  /** @returns SNS's id of the message. @throws the service's error */
  publish(notice: Pick<Notice, 'subject' | 'body'>): Promise<{ topicArn: string; messageId: string }>;
  /** Subscriptions that whoever is behind them has confirmed. @throws the service's error */
  countSubscribers(): Promise<number>;
}

export function snsTopic(sns: SNSClient, topicArn: string): Topic {
  return {
    async publish({ subject, body }) {
      const { MessageId } = await sns.send(new PublishCommand({ TopicArn: topicArn, Subject: subject, Message: body }));
      if (MessageId === undefined) throw new Error(`${topicArn} took the message without an id`);
      return { topicArn, messageId: MessageId };
    },
    async countSubscribers() {
      const { Attributes } = await sns.send(new GetTopicAttributesCommand({ TopicArn: topicArn }));
      return Number(Attributes?.SubscriptionsConfirmed);
    },
  };
}
