import type { ApiClient } from './api-client.ts';
import { CommandError, EXIT } from './exit-codes.ts';

/** The user leaves: nobody waits for the answer any longer. Ends the command only where nothing was started. */
export class Left extends CommandError {
  constructor() {
    super(EXIT.aborted, 'left before anything was started');
  }
}

/** The same client, whose calls reject with `Left` as soon as the user leaves: an API that does not answer keeps nobody. */
export function untilLeft(client: ApiClient, leave: AbortSignal): ApiClient {
  return {
    close: () => client.close(),
    call: (...request) =>
      new Promise((resolve, reject) => {
        const leaveNow = (): void => reject(new Left());
        if (leave.aborted) return leaveNow();
        leave.addEventListener('abort', leaveNow);
        client
          .call(...request)
          .then(resolve, reject)
          .finally(() => leave.removeEventListener('abort', leaveNow));
      }),
  };
}
