import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { putHeartbeat } from '../aws/heartbeat.ts';
import type { Clock } from '../domain/clock.ts';
import { HEARTBEAT_EVERY_SECONDS } from '../domain/timing.ts';

/**
 * Says at most every 5 s that these clusters are watched. One that did not arrive is said again at the next call.
 * @param cloudWatch with a timeout of its own and a single attempt: a late heartbeat would speak for a past evaluation
 * @returns a function that rejects with the service's error
 */
export function guardHeartbeat(
  cloudWatch: CloudWatchClient,
  clock: Clock,
  stackName: string,
): (clusters: readonly string[]) => Promise<void> {
  let saidMs: number | undefined;
  return async (clusters) => {
    const nowMs = clock.monotonicMs();
    if (saidMs !== undefined && nowMs - saidMs < HEARTBEAT_EVERY_SECONDS * 1000) return;
    saidMs = nowMs;
    try {
      await putHeartbeat(cloudWatch, stackName, clusters, 1);
    } catch (error) {
      saidMs = undefined;
      throw error;
    }
  };
}
