import { narrowed, rangesOf } from './promql.ts';
import type { GuardrailConfigurations, TelemetryConfiguration } from './telemetry.ts';
import { NODE, SHARD } from './telemetry.ts';
import { maxAgeSecondsOf, SCRAPES_IN_RANGE } from './timing.ts';

/** What guardrails ask of Prometheus, made from what a configuration says of the series. */

/** Read in one query, so that value and age are of the same evaluation by the same server. */
export interface Source {
  /** PromQL that gives one series. */
  query: string;
  /** Selector of the series behind it. */
  freshness: string;
  scrapeIntervalSeconds: number;
  /** Older readings are a breach. */
  maxAgeSeconds: number;
}

/** A fact without which a guardrail could never be beyond its limit, whatever happens. */
export interface Control {
  /** What the query gives, for a person. */
  what: string;
  query: string;
  must: 'at least' | 'at most' | 'more than' | 'exactly';
  bound: number;
  unit: string;
}

export interface Guardrail extends Source {
  limit: number;
  /** `above`: more than the limit is a breach; `below`: less is. */
  breachWhen: 'above' | 'below';
  unit: string;
  controls: Control[];
}

/** Fields of a cluster that its guardrails are made from. */
export interface Watched {
  telemetry: TelemetryConfiguration;
  guardrails: GuardrailConfigurations;
}

/** The mission's window, where four scrapes fit into it. Seconds. */
const RANGE_SECONDS = 5;
const TRAFFIC_SHARE_RANGE_SECONDS = 60;
/** A minority of requests that ended without a status (a client that went away) hides no class of them. */
const CLASSIFIED_PCT = 99.9;
/** That a source is scraped as often as it is said to be is seen over so many scrapes, half of which may be missing. */
const CONTROLLED_SCRAPES = 10;

export function guardrailsOf(cluster: Watched): Record<string, Guardrail> {
  return Object.fromEntries(
    Object.entries(cluster.guardrails).map(([name, configuration]) => [
      name,
      withScrapeControl(guardrailOf(configuration, cluster.telemetry)),
    ]),
  );
}

function guardrailOf(configuration: GuardrailConfigurations[string], telemetry: TelemetryConfiguration): Guardrail {
  const { limit } = configuration;
  const every = telemetry.scrapeIntervalSeconds;
  switch (configuration.kind) {
    case 'ERROR_RATE': {
      const range = rangeOf(configuration, every);
      const { metric, statusLabel } = telemetry.requests;
      const total = `sum(rate(${metric}[${range}s]))`;
      const ofClass = (status: string) => narrowed(metric, { matchers: [`${statusLabel}=~"${status}"`] });
      const classified = `(sum(rate(${ofClass('[1-5]..')}[${range}s])) or vector(0))`;
      return {
        ...sourceOf(
          `100 * (sum(rate(${ofClass('5..')}[${range}s])) or vector(0)) / clamp_min(${total}, 0.001)`,
          metric,
          every,
        ),
        ...{ limit, breachWhen: 'above', unit: '%' },
        controls: [
          {
            what: `the share of ${metric} whose label ${statusLabel} is a status from 1xx to 5xx`,
            query: `100 * ${classified} / ${total}`,
            ...{ must: 'at least', bound: CLASSIFIED_PCT, unit: '%' },
          },
        ],
      };
    }
    case 'WRITE_LATENCY': {
      const range = rangeOf(configuration, every);
      const { metric, histogram } = telemetry.writeDuration;
      const isNative = histogram === 'native';
      const series = isNative ? metric : narrowed(metric, { suffix: '_bucket' });
      const writes = `${isNative ? 'sum' : 'sum by (le)'}(rate(${series}[${range}s]))`;
      return {
        ...sourceOf(`1000 * histogram_quantile(${configuration.quantile}, ${writes})`, series, every),
        ...{ limit, breachWhen: 'above', unit: 'ms' },
        controls: [isNative ? observed(metric, writes) : finiteBucketAbove(metric, limit)],
      };
    }
    case 'FREE_WORKERS': {
      const { free, max } = telemetry.workers;
      const share = `100 * sum(${free}) / sum(${max})`;
      return {
        ...sourceOf(share, free, every),
        ...{ limit, breachWhen: 'below', unit: '%' },
        controls: [
          { what: `${free} as a share of ${max}`, query: share, must: 'at most', bound: 100, unit: '%' },
          {
            what: `series of ${free} for each of ${max}`,
            query: `count(${free}) / count(${max})`,
            ...{ must: 'exactly', bound: 1, unit: 'series' },
          },
        ],
      };
    }
    case 'PROMQL': {
      const { query, freshness, control, breachWhen, unit, scrapeIntervalSeconds = every } = configuration;
      return {
        ...sourceOf(query, freshness, scrapeIntervalSeconds),
        ...{ limit, breachWhen, unit },
        controls: [{ what: 'its control', query: control, must: 'more than', bound: 0, unit: '' }],
      };
    }
  }
}

/**
 * The quantile of a histogram with everything beyond its last finite bucket is the bound of that bucket: more than this
 * a quantile never says. Of all series the lowest, for one gateway with too few buckets is enough to hide its writes.
 */
function finiteBucketAbove(metric: string, limitMs: number): Control {
  const buckets = (le: string) => narrowed(metric, { suffix: '_bucket', matchers: [le] });
  return {
    what: `the highest finite bucket of ${metric}`,
    query: `1000 * min(histogram_quantile(1, 0 * ${buckets('le!="+Inf"')} or ${buckets('le="+Inf"')} >= bool 0))`,
    ...{ must: 'more than', bound: limitMs, unit: 'ms' },
  };
}

/** A native histogram has no last bucket. What is none, a classic one for instance, gives no series here. */
function observed(metric: string, writes: string): Control {
  const what = `writes a second in the native histogram ${metric}`;
  return { what, query: `histogram_count(${writes})`, must: 'more than', bound: 0, unit: '/s' };
}

function withScrapeControl(guardrail: Guardrail): Guardrail {
  const { freshness, scrapeIntervalSeconds, controls } = guardrail;
  const seconds = CONTROLLED_SCRAPES * scrapeIntervalSeconds;
  const scraped: Control = {
    what: `scrapes of ${freshness} in ${seconds} s (scrapeIntervalSeconds is ${scrapeIntervalSeconds})`,
    query: `max(count_over_time(${freshness}[${seconds}s])) or vector(0)`,
    ...{ must: 'at least', bound: CONTROLLED_SCRAPES / 2, unit: 'scrapes' },
  };
  return { ...guardrail, controls: [...controls, scraped] };
}

/** What is held against the baseline: how many gateways live, and requests a second. */
export function trafficSourcesOf({
  telemetry,
}: Pick<Watched, 'telemetry'>): Record<'liveGateways' | 'requestRate', Source> {
  const { gateways, requests, scrapeIntervalSeconds } = telemetry;
  const range = shortestRangeSeconds(scrapeIntervalSeconds);
  return {
    liveGateways: sourceOf(`count(${gateways} == 1)`, gateways, scrapeIntervalSeconds),
    requestRate: sourceOf(`sum(rate(${requests.metric}[${range}s]))`, requests.metric, scrapeIntervalSeconds),
  };
}

/** Whose share of the traffic the cluster's query gives. */
export function trafficUnitOf({ telemetry }: Pick<Watched, 'telemetry'>): 'node' | 'shard' {
  return telemetry.trafficShareQuery?.includes(NODE) ? 'node' : 'shard';
}

/**
 * @param name of a shard or a node, as `trafficUnitOf` says, in characters that mean nothing to PromQL
 * @returns PromQL for its share of the traffic, 0 to 1
 */
export function trafficShareQueryOf({ telemetry }: Pick<Watched, 'telemetry'>, name: string): string {
  const { requests, scrapeIntervalSeconds, trafficShareQuery } = telemetry;
  const range = Math.max(TRAFFIC_SHARE_RANGE_SECONDS, SCRAPES_IN_RANGE * scrapeIntervalSeconds);
  const ofShard = narrowed(requests.metric, { matchers: [`${requests.shardLabel}="${SHARD}"`] });
  const fromFacts = `sum(rate(${ofShard}[${range}s])) / sum(rate(${requests.metric}[${range}s]))`;
  return (trafficShareQuery ?? fromFacts).replaceAll(SHARD, name).replaceAll(NODE, name);
}

/** Ranges over too few scrapes, by the field that holds them, in words. */
export function shortRanges({ telemetry, guardrails }: Watched): { path: string[]; message: string }[] {
  const problems = (path: string[], ranges: ReturnType<typeof rangesOf>, every: number) =>
    ranges
      .filter(({ seconds }) => !(seconds >= SCRAPES_IN_RANGE * every))
      .map(({ text }) => ({
        path,
        message: `${text} is not at least four scrapes of ${every} s: ${SCRAPES_IN_RANGE * every} s or more`,
      }));
  const every = telemetry.scrapeIntervalSeconds;
  return [
    ...problems(['telemetry', 'trafficShareQuery'], rangesOf(telemetry.trafficShareQuery ?? ''), every),
    ...Object.entries(guardrails).flatMap(([name, guardrail]) => {
      if (guardrail.kind === 'PROMQL') {
        const own = guardrail.scrapeIntervalSeconds ?? every;
        return problems(['guardrails', name, 'query'], rangesOf(guardrail.query), own);
      }
      if (guardrail.kind === 'FREE_WORKERS' || guardrail.rangeSeconds === undefined) return [];
      const { rangeSeconds: seconds } = guardrail;
      return problems(['guardrails', name, 'rangeSeconds'], [{ text: `${seconds} s`, seconds }], every);
    }),
  ];
}

function sourceOf(query: string, freshness: string, scrapeIntervalSeconds: number): Source {
  return { query, freshness, scrapeIntervalSeconds, maxAgeSeconds: maxAgeSecondsOf(scrapeIntervalSeconds) };
}

function rangeOf({ rangeSeconds }: { rangeSeconds?: number | undefined }, scrapeIntervalSeconds: number): number {
  return rangeSeconds ?? shortestRangeSeconds(scrapeIntervalSeconds);
}

function shortestRangeSeconds(scrapeIntervalSeconds: number): number {
  return Math.max(RANGE_SECONDS, SCRAPES_IN_RANGE * scrapeIntervalSeconds);
}
