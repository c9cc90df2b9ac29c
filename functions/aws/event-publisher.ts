import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { eventDetailOf } from '../domain/events.ts';
import { EVENT_SOURCE, eventDetailType } from '../domain/names.ts';
import type { EventPublisher } from '../tables/audit-log.ts';

/** Events `source: holdfast`, `detail-type: Experiment <TYPE>`: see docs/events.schema.json. */
export function eventBridgePublisher(client: EventBridgeClient, busName: string): EventPublisher {
  return {
    async publish(entry) {
      const Detail = JSON.stringify(eventDetailOf(entry));
      const result = await client.send(
        new PutEventsCommand({
          Entries: [{ EventBusName: busName, Source: EVENT_SOURCE, DetailType: eventDetailType(entry.type), Detail }],
        }),
      );
      if (result.FailedEntryCount)
        throw new Error(`event refused: ${result.Entries?.[0]?.ErrorMessage ?? 'no reason'}`);
    },
  };
}
