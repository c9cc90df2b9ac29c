import { setTimeout as delay } from 'node:timers/promises';

/**
 * Polls until `problem` returns undefined ("nothing left to wait for").
 * @throws Error with the last problem when `timeoutSeconds` have passed.
 */
export async function waitFor(
  what: string,
  timeoutSeconds: number,
  problem: () => Promise<string | undefined> | string | undefined,
  pollMs = 100,
): Promise<void> {
  const deadline = performance.now() + timeoutSeconds * 1000;
  for (;;) {
    let last: string | undefined;
    try {
      last = await problem();
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    if (last === undefined) return;
    if (performance.now() > deadline) throw new Error(`${what}: not ready after ${timeoutSeconds} s: ${last}`);
    await delay(pollMs);
  }
}
