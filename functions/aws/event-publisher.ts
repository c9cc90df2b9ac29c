import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { EVENT_SOURCE, eventDetailType } from '../domain/names.ts';
import type { EventPublisher } from '../tables/audit-log.ts';

const DETAIL_LIMIT_BYTES = 200_000;

/** Events `source: holdfast`, `detail-type: Experiment <TYPE>`; the detail is the entry, its `details` left out when too large. */
export function eventBridgePublisher(client: EventBridgeClient, busName: string): EventPublisher {
  return {
    async publish(entry) {
      const whole = JSON.stringify(entry);
      const Detail = Buffer.byteLength(whole) <= DETAIL_LIMIT_BYTES ? whole : JSON.stringify({ ...entry, details: {} });
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
