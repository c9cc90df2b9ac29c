import * as z from 'zod';
import { accessProblems, telemetryAccessFields } from './telemetry-access.ts';
import { SCRAPE_INTERVAL_SECONDS } from './timing.ts';

/** What of a cluster's configuration says where its telemetry is, what it is called, and which limits hold. */

/** A metric as PromQL selects it. */
export const selector = z
  .string()
  .regex(
    /^[a-zA-Z_:][a-zA-Z0-9_:]*(?:\{(?:[^{}"]|"(?:[^"\\]|\\.)*")*\})?$/,
    'the name of a metric, with matchers if need be: name{label="value"}',
  );
/** As CloudWatch takes it, and every Alertmanager. */
export const alarmName = z
  .string()
  .regex(/^(?:\P{Cc}|[\u0080-\u009f]){1,255}$/u, '1-255 characters, none of them a control character of ASCII');
const labelName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, 'the name of a label');
const promQl = z.string().min(1);
const scrapeIntervalSeconds = z.int().min(SCRAPE_INTERVAL_SECONDS.min).max(SCRAPE_INTERVAL_SECONDS.max);

function isBareUrl(text: string): boolean {
  const { username, password, search, hash } = new URL(text);
  return username + password + search + hash === '';
}

/** In `trafficShareQuery`: the name of one shard, or of one node. */
export const SHARD = '{{shard}}';
export const NODE = '{{node}}';

const fields = z.strictObject({
  /** Base URL of a Prometheus, reachable from the VPC of the functions. */
  prometheusUrl: z
    .url({ protocol: /^https?$/ })
    .refine(isBareUrl, 'no user, password, query or fragment: every function carries it in plain text'),
  ...telemetryAccessFields,
  /** How often it scrapes the series below. Ranges and the age of a reading follow from it, and so does the abort bound. */
  scrapeIntervalSeconds: scrapeIntervalSeconds.default(SCRAPE_INTERVAL_SECONDS.default),
  /** Counter of the requests that the gateways answered. */
  requests: z
    .strictObject({
      metric: selector.default('http_requests_total'),
      /** Its values begin with the class: `503`, `5xx`. */
      statusLabel: labelName.default('code'),
      shardLabel: labelName.default('shard'),
    })
    .prefault({}),
  /** Histogram of how long writes took, in seconds; of a classic one the name without `_bucket`. */
  writeDuration: z
    .strictObject({
      metric: selector.default('http_write_duration_seconds'),
      histogram: z.enum(['classic', 'native']).default('classic'),
    })
    .prefault({}),
  /** Gauges of the gateways' workers. */
  workers: z
    .strictObject({
      free: selector.default('gateway_workers_free'),
      max: selector.default('gateway_workers_max'),
    })
    .prefault({}),
  /** One series a store, 0 while it does not answer, as its exporter says. Absent: nobody is alerted of stores. */
  stores: selector.optional(),
  /** One series a gateway, 1 while it lives: fewer than in the baseline is a breach. */
  gateways: selector.default('up{job="gateway"}'),
  /** PromQL for the share of traffic, 0 to 1, of the one shard `{{shard}}` or the one node `{{node}}`; absent: made from `requests`. */
  trafficShareQuery: z
    .string()
    .refine(
      (query) => query.includes(SHARD) !== query.includes(NODE),
      `must contain ${SHARD}, the name of one shard, or ${NODE}, that of one node, and not both`,
    )
    .optional(),
});
export const telemetrySchema = fields.superRefine((telemetry, context) => {
  for (const problem of accessProblems(telemetry)) context.addIssue({ code: 'custom', ...problem });
});
export type TelemetryConfiguration = z.output<typeof telemetrySchema>;

/** Seconds over which a rate is taken; absent: 5, or four scrapes where that is longer. */
const rangeSeconds = z.int().positive().optional();

/** Limits that could never be crossed are refused here, series that could never cross them before each start. */
export const guardrailSchema = z.discriminatedUnion('kind', [
  /** Percentage of `requests` that end in 5xx; more is a breach. */
  z.strictObject({ kind: z.literal('ERROR_RATE'), limit: z.number().min(0).lt(100).default(0.5), rangeSeconds }),
  /** Quantile of `writeDuration` in milliseconds; more is a breach. */
  z.strictObject({
    kind: z.literal('WRITE_LATENCY'),
    quantile: z.number().gt(0).lt(1).default(0.99),
    limit: z.number().positive().default(200),
    rangeSeconds,
  }),
  /** Percentage of `workers` that are free; less is a breach. */
  z.strictObject({ kind: z.literal('FREE_WORKERS'), limit: z.number().gt(0).max(100).default(15) }),
  z.strictObject({
    kind: z.literal('PROMQL'),
    /** One series, whose value is compared with `limit`. */
    query: promQl,
    /** The series behind `query`: a reading is as old as the newest sample of the stalest of them. */
    freshness: selector,
    /** More than 0 only while `query` could be beyond its limit: that its label exists, that its bucket does. */
    control: promQl,
    limit: z.number(),
    breachWhen: z.enum(['above', 'below']),
    unit: z.string(),
    /** Where these series are scraped at another interval than the cluster's. */
    scrapeIntervalSeconds: scrapeIntervalSeconds.optional(),
  }),
]);
type GuardrailConfiguration = z.output<typeof guardrailSchema>;
export type GuardrailConfigurations = Record<string, GuardrailConfiguration>;

/** The guardrail whose reading is the record's latency. */
export const LATENCY_GUARDRAIL = 'p99WriteLatencyMs';

/** Mission defaults: 5xx above 0.5 % in 5 s, P99 write latency above 200 ms, free gateway workers below 15 %. */
export const MISSION_GUARDRAILS: GuardrailConfigurations = {
  errorRatePct: guardrailSchema.parse({ kind: 'ERROR_RATE' }),
  [LATENCY_GUARDRAIL]: guardrailSchema.parse({ kind: 'WRITE_LATENCY' }),
  freeWorkersPct: guardrailSchema.parse({ kind: 'FREE_WORKERS' }),
};
