import { isEntryOf } from '../domain/audit-entry.ts';
import { samplesOf } from '../domain/check-samples.ts';
import type { Clock } from '../domain/clock.ts';
import type { Check } from '../domain/hypothesis.ts';
import {
  lookOnSecondsOf,
  type MeasureSource,
  sourceOfMeasure,
  type TelemetryMeasure,
} from '../domain/measure-queries.ts';
import { isInTelemetry } from '../domain/measures.ts';
import { stateOf } from '../domain/status.ts';
import { HISTORY_TIMEOUT_MS, LOOK_BACK_SECONDS } from '../domain/timing.ts';
import type { CheckSeries } from '../domain/workflow.ts';
import type { Telemetry } from '../telemetry/prometheus.ts';
import type { RememberedCluster, WatchDependencies } from './watch-rollback.ts';

const POLL_INTERVAL_MS = 1000;
const AT_A_TIME = 4;

/** A check, and what is asked of which Prometheus for it. */
interface AskedCheck {
  name: string;
  measure: TelemetryMeasure;
  source: MeasureSource;
  telemetry: PastTelemetry['telemetry'];
}

/** One cluster of the experiment, and how the past of its checks is seen. */
export interface PastTelemetry extends Omit<RememberedCluster, 'telemetry'> {
  telemetry: Pick<Telemetry, 'history' | 'alertProblem'>;
}

/**
 * The checks that are in Prometheus, from before the announcement of the first fault until some time after the recovery:
 * read back from its history, so that a second which nobody could ask about at the time is not missed. Waits until every
 * source was sampled behind that time, as long as a scrape may take. Without such checks nothing is written.
 */
export async function observeChecks(
  experimentId: string,
  clusters: readonly PastTelemetry[],
  { audit, clock }: WatchDependencies,
): Promise<void> {
  const entries = await audit.read(experimentId);
  const announced = entries.find(({ type }) => type === 'INJECTING');
  const checks = stateOf(entries).experiment?.hypothesis?.checks ?? [];
  const asked = checks.flatMap((check) => ask(check, clusters));
  if (asked.length === 0 || !announced || entries.some((entry) => isEntryOf(entry, 'CONCLUDED'))) return;
  const longestAgeSeconds = Math.max(...asked.map(({ source }) => source.maxAgeSeconds));
  const fromMs = Date.parse(announced.at) - longestAgeSeconds * 1000;
  const lookOnSeconds = lookOnSecondsOf(checks);
  const untilMs = clock.nowEpochMs() + lookOnSeconds * 1000;
  const deadlineMs = clock.monotonicMs() + (lookOnSeconds + LOOK_BACK_SECONDS) * 1000;
  await clock.sleep(lookOnSeconds * 1000);
  const found = new Map<AskedCheck, Look>();
  for (;;) {
    for (const group of groupsOf(asked.filter((check) => !found.get(check)?.isComplete))) {
      const looks = await Promise.all(
        group.map(async (check) => [check, await lookBack(check, fromMs, untilMs, clock)] as const),
      );
      // What was read stays, whatever becomes of the next try.
      for (const [check, look] of looks) if (look.isRead || !found.has(check)) found.set(check, look);
    }
    const looks = asked.flatMap((check) => found.get(check) ?? []);
    const isLast = clock.monotonicMs() + POLL_INTERVAL_MS + HISTORY_TIMEOUT_MS >= deadlineMs;
    if (isLast || looks.every(({ isComplete }) => isComplete)) {
      const details = { fromSecond: Math.floor(fromMs / 1000), series: looks.map(({ series }) => series) };
      await audit.append(experimentId, 'CHECKS_OBSERVED', { function: 'verify-recovery' }, details);
      return;
    }
    await clock.sleep(POLL_INTERVAL_MS);
  }
}

function ask({ name, cluster, measure }: Check, clusters: readonly PastTelemetry[]): AskedCheck[] {
  const named = clusters.find((one) => one.name === cluster);
  if (!named || !isInTelemetry(measure)) return [];
  return [{ name, measure, source: sourceOfMeasure(measure, named.cluster), telemetry: named.telemetry }];
}

/** So many at a time: the guardrails' own past is read from the same Prometheus. */
function groupsOf(asked: readonly AskedCheck[]): AskedCheck[][] {
  return Array.from({ length: Math.ceil(asked.length / AT_A_TIME) }, (_, index) =>
    asked.slice(index * AT_A_TIME, (index + 1) * AT_A_TIME),
  );
}

interface Look {
  series: CheckSeries;
  isRead: boolean;
  /** Its source was sampled behind the last second that is asked for. */
  isComplete: boolean;
}

async function lookBack(
  { name, measure, source, telemetry }: AskedCheck,
  fromMs: number,
  untilMs: number,
  clock: Clock,
): Promise<Look> {
  const gapSeconds = source.maxAgeSeconds;
  try {
    // A rule that stands still reports nothing, which is not that nothing was.
    const stuck = measure.kind === 'ALERT' ? await telemetry.alertProblem(measure.alert) : undefined;
    // It will not have been evaluated a little later either: nobody waits for it.
    if (stuck !== undefined) {
      return { series: { check: name, values: [], gapSeconds, problem: stuck }, isRead: true, isComplete: true };
    }
    const readings = await telemetry.history(source, fromMs, clock.nowEpochMs());
    const fromSecond = Math.floor(fromMs / 1000);
    const values = samplesOf(readings, fromSecond);
    const problem = [...readings.values()].find((reading) => reading.problem !== undefined)?.problem;
    const isComplete = fromSecond + values.length - 1 >= Math.floor(untilMs / 1000);
    return {
      ...{ isRead: true, isComplete },
      series: { check: name, values, gapSeconds, ...(problem === undefined ? {} : { problem }) },
    };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { series: { check: name, values: [], gapSeconds, problem }, isRead: false, isComplete: false };
  }
}
