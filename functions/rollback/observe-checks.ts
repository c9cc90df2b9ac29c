import { isEntryOf } from '../domain/audit-entry.ts';
import type { Clock } from '../domain/clock.ts';
import type { Check } from '../domain/hypothesis.ts';
import { type MeasureSource, sourceOfMeasure } from '../domain/measure-queries.ts';
import { isInTelemetry } from '../domain/measures.ts';
import { stateOf } from '../domain/status.ts';
import { HISTORY_TIMEOUT_MS, LOOK_BACK_SECONDS, LOOK_ON_SECONDS } from '../domain/timing.ts';
import type { CheckSeries } from '../domain/workflow.ts';
import type { RememberedCluster, WatchDependencies } from './watch-rollback.ts';

const POLL_INTERVAL_MS = 1000;

/** A check, and what is asked of which Prometheus for it. */
interface AskedCheck {
  name: string;
  source: MeasureSource;
  telemetry: RememberedCluster['telemetry'];
}

/**
 * The checks that are in Prometheus, at each second from the announcement of the first fault until `LOOK_ON_SECONDS` after
 * the recovery: read back from its history, so that a second which nobody could ask about at the time is not missed.
 * Waits for a scrape behind the last of these seconds, as long as one may take. Without such checks nothing is written.
 */
export async function observeChecks(
  experimentId: string,
  clusters: readonly RememberedCluster[],
  { audit, clock }: WatchDependencies,
): Promise<void> {
  const entries = await audit.read(experimentId);
  const announced = entries.find(({ type }) => type === 'INJECTING');
  const asked = (stateOf(entries).experiment?.hypothesis?.checks ?? []).flatMap((check) => ask(check, clusters));
  if (asked.length === 0 || !announced || entries.some((entry) => isEntryOf(entry, 'CONCLUDED'))) return;
  const fromMs = Date.parse(announced.at);
  const untilMs = clock.nowEpochMs() + LOOK_ON_SECONDS * 1000;
  const deadlineMs = clock.monotonicMs() + (LOOK_ON_SECONDS + LOOK_BACK_SECONDS) * 1000;
  await clock.sleep(LOOK_ON_SECONDS * 1000);
  for (;;) {
    const seen = await Promise.all(asked.map((check) => lookBack(check, fromMs, untilMs, clock)));
    const isLast = clock.monotonicMs() + POLL_INTERVAL_MS + HISTORY_TIMEOUT_MS >= deadlineMs;
    if (isLast || seen.every(({ isComplete }) => isComplete)) {
      await audit.append(
        experimentId,
        'CHECKS_OBSERVED',
        { function: 'verify-recovery' },
        {
          fromSecond: Math.floor(fromMs / 1000),
          series: seen.map(({ series }) => series),
        },
      );
      return;
    }
    await clock.sleep(POLL_INTERVAL_MS);
  }
}

function ask({ name, cluster, measure }: Check, clusters: readonly RememberedCluster[]): AskedCheck[] {
  const named = clusters.find((one) => one.name === cluster);
  if (!named || !isInTelemetry(measure)) return [];
  return [{ name, source: sourceOfMeasure(measure, named.cluster), telemetry: named.telemetry }];
}

/** `isComplete`: its source was scraped behind the last second that is asked for. */
async function lookBack(
  { name, source, telemetry }: AskedCheck,
  fromMs: number,
  untilMs: number,
  clock: Clock,
): Promise<{ series: CheckSeries; isComplete: boolean }> {
  try {
    const readings = [...(await telemetry.history(source, fromMs, clock.nowEpochMs()))];
    const problems = new Set<string>();
    const values = readings
      .filter(([atMs]) => atMs <= untilMs)
      .map(([, { value = Number.NaN, ageSeconds = Number.NaN, problem }]) => {
        if (problem !== undefined) problems.add(problem);
        const isKnown = problem === undefined && Number.isFinite(value) && ageSeconds <= source.maxAgeSeconds;
        return isKnown ? value : null;
      });
    const [atMs, newest] = readings.at(-1) ?? [Number.NaN, {}];
    const [problem] = problems;
    return {
      series: { check: name, values, ...(problem === undefined ? {} : { problem }) },
      isComplete: atMs - (newest.ageSeconds ?? Number.NaN) * 1000 >= untilMs,
    };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { series: { check: name, values: [], problem }, isComplete: false };
  }
}
