import { z } from 'zod';

/**
 * `holdfast.config.ts`: the clusters this deployment may touch and where their telemetry is. Validated at synth and
 * again when a function starts; nothing in a request can widen it.
 */
const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'letters, digits, dot, dash and underscore, at most 100');
/** These reach the hosts as document parameters: what is accepted here must match lib/document-parameters.ts. */
const unit = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9@._-]{0,99}$/, 'letters, digits, at, dot, dash and underscore, at most 100');
const hostFile = z
  .string()
  .regex(/^(\/[A-Za-z0-9._-]+)+$/, 'an absolute path of letters, digits, dot, dash and underscore');
const port = z.int().min(1).max(65535);
const percentage = z.number().min(0).max(100);

const guardrailSchema = z.strictObject({
  /** PromQL whose single value is compared with `limit`. */
  query: z.string().min(1),
  /** PromQL selector of the series behind `query`: the age of a reading is the age of its oldest newest sample. */
  freshness: z.string().min(1),
  limit: z.number(),
  breachWhen: z.enum(['above', 'below']),
  unit: z.string(),
  /** Older readings are a breach. Seconds. */
  maxAgeSeconds: z.number().positive().max(60).default(3),
});
export type Guardrail = z.infer<typeof guardrailSchema>;

/** Mission defaults: 5xx above 0.5 % in 5 s, P99 write latency above 200 ms, free gateway workers below 15 %. */
export const DEFAULT_GUARDRAILS: Record<string, Guardrail> = {
  errorRatePct: {
    query:
      '100 * (sum(rate(http_requests_total{code=~"5.."}[5s])) or vector(0)) / clamp_min(sum(rate(http_requests_total[5s])), 0.001)',
    freshness: 'http_requests_total',
    limit: 0.5,
    breachWhen: 'above',
    unit: '%',
    maxAgeSeconds: 3,
  },
  p99WriteLatencyMs: {
    query: '1000 * histogram_quantile(0.99, sum by (le) (rate(http_write_duration_seconds_bucket[5s])))',
    freshness: 'http_write_duration_seconds_bucket',
    limit: 200,
    breachWhen: 'above',
    unit: 'ms',
    maxAgeSeconds: 3,
  },
  freeWorkersPct: {
    query: '100 * sum(gateway_workers_free) / sum(gateway_workers_max)',
    freshness: 'gateway_workers_free',
    limit: 15,
    breachWhen: 'below',
    unit: '%',
    maxAgeSeconds: 3,
  },
};

const telemetrySchema = z.strictObject({
  /** Base URL of a Prometheus that scrapes every second, reachable from the VPC of the functions. */
  prometheusUrl: z.url({ protocol: /^https?$/ }),
  /** Counts the gateways that answer: fewer than in the baseline is a breach. */
  liveGatewaysQuery: z.string().default('count(up{job="gateway"} == 1)'),
  /** Client requests per second: under half of the baseline is a breach. */
  requestRateQuery: z.string().default('sum(rate(http_requests_total[5s]))'),
  /** Share of traffic, 0 to 1, that the shards in `{{shards}}` (a regular expression of alternatives) serve. */
  trafficShareQuery: z
    .string()
    .includes('{{shards}}')
    .default('sum(rate(http_requests_total{shard=~"{{shards}}"}[60s])) / sum(rate(http_requests_total[60s]))'),
  maxAgeSeconds: z.number().positive().max(60).default(3),
});

const redisSchema = z.strictObject({
  sentinelPort: port.default(26379),
  /** What the masters are configured with; a target may never leave a shard with fewer replicas than this. */
  minReplicasToWrite: z.int().min(0).default(1),
});

const clusterSchema = z
  .strictObject({
    engine: z.enum(['redis']),
    tier: z.enum(['production', 'staging']),
    /** EC2 tags that all nodes carry. The node's name is its `Name` tag. */
    selectTags: z.record(z.string(), z.string()).refine((tags) => Object.keys(tags).length > 0, 'at least one tag'),
    /** systemd unit of the store on the nodes. */
    unit,
    port,
    dataDirectory: hostFile,
    /** Its data may be lost for good: faults that harm data beyond repair are refused elsewhere. */
    disposable: z.boolean().default(false),
    /** Instances whose data lie on instance store may be stopped, which erases them. */
    instanceStoreDataMayBeLost: z.boolean().default(false),
    tls: z.boolean().default(false),
    /** Secrets Manager secret with JSON `{"username","password"}` for the probe and the store checks. */
    secretName: z.string().min(1).optional(),
    /** File on the nodes, readable by root only, with the same JSON: the fence asks the local store whether it may fall. */
    hostCredentialsFile: hostFile.optional(),
    redis: redisSchema.prefault({}),
    telemetry: telemetrySchema,
    /** Replaces defaults of the same name and adds others; a default cannot be dropped. */
    guardrails: z
      .record(z.string(), guardrailSchema)
      .prefault({})
      .transform((own): Record<string, Guardrail> => ({ ...DEFAULT_GUARDRAILS, ...own })),
    /** CloudWatch alarms that must be OK before a start and that roll back when they fire. */
    alarms: z
      .array(z.strictObject({ name, severity: z.enum(['INFO', 'WARNING', 'CRITICAL']).default('CRITICAL') }))
      .default([]),
    /** Production is held to 10 % whatever stands here. */
    blastRadius: z
      .strictObject({ maxNodesPct: percentage.default(10), maxTrafficSharePct: percentage.default(10) })
      .prefault({}),
    budgets: z
      .strictObject({
        rtoSeconds: z.number().nonnegative().default(15),
        lostAcknowledgedWrites: z.int().nonnegative().default(0),
        /** How long the store may take to be healthy after a rollback. Seconds. */
        recoverySeconds: z.int().min(5).max(600).default(60),
      })
      .prefault({}),
    /** When experiments may start, UTC; absent: at any time. */
    window: z
      .strictObject({
        daysOfWeek: z.array(z.enum(['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'])).min(1),
        startHourUtc: z.int().min(0).max(23),
        endHourUtc: z.int().min(1).max(24),
      })
      .refine((window) => window.startHourUtc < window.endHourUtc, 'startHourUtc must be before endHourUtc')
      .optional(),
    maxDurationSeconds: z.int().min(1).max(600).default(600),
  })
  .refine(
    (cluster) =>
      cluster.tier !== 'production' ||
      (cluster.blastRadius.maxNodesPct <= 10 && cluster.blastRadius.maxTrafficSharePct <= 10),
    {
      path: ['blastRadius'],
      message:
        'a production cluster may not allow more than 10 % of nodes or traffic; only tier "staging" may set its own',
    },
  );
export type Cluster = z.infer<typeof clusterSchema>;

const configurationSchema = z.strictObject({
  clusters: z
    .record(name, clusterSchema)
    .refine((clusters) => Object.keys(clusters).length > 0, 'at least one cluster'),
  /** Where guard, probe and store checks run: they must reach the stores and Prometheus. */
  network: z.strictObject({
    vpcId: z.string().regex(/^vpc-[0-9a-z]+$/),
    subnetIds: z.array(z.string().regex(/^subnet-[0-9a-z]+$/)).min(1),
    availabilityZones: z.array(z.string()).min(1),
    securityGroupId: z.string().regex(/^sg-[0-9a-z]+$/),
  }),
  /** Principals (ARNs, may end in `*`) that may call the API; IAM policies still apply on top. */
  apiPrincipals: z.array(z.string().startsWith('arn:')).min(1),
  /** Tag that an instance must carry before any document may be sent to it. */
  targetTag: z.strictObject({ key: name, value: name }).prefault({ key: 'holdfast-target', value: 'true' }),
  /** A host whose view of its lease has not advanced for this long reverts. Seconds. */
  leaseGraceSeconds: z.int().min(2).max(30).default(3),
});
export type Configuration = z.infer<typeof configurationSchema>;
export type ConfigurationInput = z.input<typeof configurationSchema>;

/** For editors and type checks of a `holdfast.config.ts`. */
export function defineConfiguration(configuration: ConfigurationInput): ConfigurationInput {
  return configuration;
}

/** @throws Error with one line a field: its path and what is allowed. */
export function parseConfiguration(input: unknown): Configuration {
  const parsed = configurationSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.') || '(top level)'}: ${issue.message}`);
  throw new Error(`holdfast.config.ts is not valid:\n${lines.join('\n')}`);
}
