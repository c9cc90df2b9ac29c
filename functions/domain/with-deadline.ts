import type { Clock } from './clock.ts';
import { RECORD_DEADLINE_MS } from './timing.ts';

/** What `act` gives, if it does within `RECORD_DEADLINE_MS`; it goes on unwatched afterwards. @throws Error when the time is over */
export async function withDeadline<T>(act: Promise<T>, clock: Clock): Promise<T> {
  const done = new AbortController();
  const timeout = clock.sleep(RECORD_DEADLINE_MS, done.signal).then(() => {
    throw new Error(`no answer within ${RECORD_DEADLINE_MS} ms`);
  });
  // Whichever loses the race may still reject; nobody waits for it then.
  timeout.catch(() => {});
  act.catch(() => {});
  try {
    return await Promise.race([act, timeout]);
  } finally {
    done.abort();
  }
}
