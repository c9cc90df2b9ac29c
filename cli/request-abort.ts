import type { Clock } from '../functions/domain/clock.ts';
import { renderAnswer } from './answers.ts';
import type { ApiClient } from './api-client.ts';
import type { Screen } from './render-terminal.ts';

export interface AbortRequest {
  /** Asks once at a time, until it was taken. @throws when there is no answer */
  ask(): Promise<void>;
  /** When it was, on the monotonic clock; undefined: not yet. */
  takenAtMs(): number | undefined;
}

/** @param path of the experiment, `/api/v1/chaos/experiments/<id>` */
export function createAbortRequest(
  path: string,
  onTaken: () => void,
  { client, clock, screen }: { client: ApiClient; clock: Clock; screen: Screen },
): AbortRequest {
  let isAsking = false;
  let takenAtMs: number | undefined;
  let isRefused = false;
  return {
    takenAtMs: () => takenAtMs,
    ask: async () => {
      if (isAsking || takenAtMs !== undefined) return;
      isAsking = true;
      try {
        const answer = await client.call('POST', `${path}/abort`);
        if (answer.status < 300) {
          takenAtMs = clock.monotonicMs();
          onTaken();
          screen.print(['Abort requested; waiting for the rollback.']);
        } else if (answer.status !== 404 && !isRefused) {
          isRefused = true;
          screen.print([
            ...renderAnswer(answer, screen.paint),
            screen.paint('bad', 'The abort was not taken; asking again.'),
          ]);
        }
      } finally {
        isAsking = false;
      }
    },
  };
}
