import type { CheckChange } from '../domain/audit-entry.ts';
import { isProbed, standing, valueAt } from '../domain/check-values.ts';
import type { Clock } from '../domain/clock.ts';
import type { Check } from '../domain/hypothesis.ts';
import { isOverRun } from '../domain/measures.ts';
import type { ShardClient } from './shard-client.ts';

/** Of all checks of one run, each with the same share: one that changes every second must not fill the log. */
const MAX_CHANGES = 200;

export interface CheckWatchDependencies {
  clock: Clock;
  /** A measure that is in telemetry, as it is now; undefined: not known. Never rejects. */
  readTelemetry(check: Check): Promise<number | undefined>;
  tell(change: CheckChange): Promise<unknown>;
}

/**
 * Tells how checks stand, each second, when that changes: news for whoever looks on. One entry after the other, and
 * never waited for: of a state that is over by then nothing is told.
 */
export async function watchChecks(
  checks: readonly Check[],
  clients: readonly ShardClient[],
  { clock, readTelemetry, tell }: CheckWatchDependencies,
  stop: AbortSignal,
): Promise<void> {
  const watched = checks.filter(({ measure }) => !isOverRun(measure) && measure.kind !== 'ALARM');
  const told = new Map<string, CheckChange['state']>();
  let telling: Promise<void> | undefined;
  const share = Math.floor(MAX_CHANGES / Math.max(1, watched.length));
  const changesLeft = new Map(watched.map(({ name }) => [name, share]));
  const mayChange = ({ name }: Pick<Check, 'name'>) => (changesLeft.get(name) ?? 0) > 0;

  async function standingAt(check: Check, second: number): Promise<CheckChange> {
    const { name, cluster, measure, tolerance } = check;
    const ofCluster = clients.filter((client) => client.name.cluster === cluster);
    const values = isProbed(check)
      ? ofCluster.map((client) => valueAt(measure, second, client.view()))
      : [await readTelemetry(check)];
    return { check: name, ...standing(tolerance, values) };
  }

  async function tellAll(changes: readonly CheckChange[]): Promise<void> {
    for (const change of changes) {
      if (stop.aborted) return;
      changesLeft.set(change.check, (changesLeft.get(change.check) ?? 0) - 1);
      told.set(change.check, change.state);
      await tell(change).catch(() => undefined);
    }
  }

  while (watched.some(mayChange) && !stop.aborted) {
    const second = Math.floor(clock.nowEpochMs() / 1000);
    await clock.sleep(Math.max(1, (second + 1) * 1000 - clock.nowEpochMs()));
    const now = await Promise.all(watched.filter(mayChange).map((check) => standingAt(check, second)));
    // What the injection waits for is written first.
    if (telling || !clients.every((client) => client.isDoneProving)) continue;
    const changes = now.filter(({ check, state }) => state !== (told.get(check) ?? 'UNKNOWN'));
    telling = tellAll(changes).finally(() => {
      telling = undefined;
    });
  }
  await telling;
}
