import * as z from 'zod';
import type { AdmissionFacts, ClusterFacts, WorstCase } from './admission.ts';
import {
  type Actor,
  type AuditEntry,
  type EntryDetails,
  type EntryType,
  SCHEDULE_RESULTS,
  type ScheduleRun,
  type SwitchChange,
  type SwitchEngaging,
  type TargetsCheck,
  TIMED_OPERATIONS,
} from './audit-entry.ts';
import {
  checkChangeSchema,
  checkObservationSchema,
  checkReadingsSchema,
  checkVerdictsSchema,
  loggedHypothesisSchema,
} from './check-schemas.ts';
import { ALERT_SEVERITIES } from './contract.ts';
import {
  BUDGETS,
  EXPERIMENT_OUTCOMES,
  EXPERIMENT_STATUSES,
  type Experiment,
  type Fault,
  type RequestedExperiment,
  type UnchosenFault,
} from './experiment.ts';
import {
  FAULT_KINDS,
  type FaultParameters,
  FIS_FAULT_KINDS,
  HOST_FAULT_KINDS,
  isFaultParameters,
  isRequestedParameters,
  type RequestedParameters,
} from './faults/catalogue.ts';
import type { FisAction } from './faults/kind.ts';
import type { FisFault } from './fis-fault.ts';
import { ENGAGE_STEPS } from './kill-switch.ts';
import { probeChoicesSchema } from './probe-choices.ts';
import type { Problem } from './problem.ts';
import type { RollbackWatch } from './rollback-watch.ts';
import type { Selector } from './selectors.ts';
import type { ResolvedFault, ResolvedTargets, TargetNode } from './targets.ts';
import {
  type Baseline,
  type BatchAnswers,
  type FisAnswer,
  type HostRemarks,
  type Injection,
  type LatencySummary,
  type NodeAnswer,
  type NodeCommand,
  type ProbeMeasurement,
  RECOVERY_PHASES,
  RELEASE_REASONS,
  type Reading,
  type RecoveryResult,
  type RollbackResult,
  type Verdict,
} from './workflow.ts';

/**
 * A schema for each type of entry, by which the log is read: what does not fit is no entry, and unknown to whoever asks.
 * Objects are loose: what a later version adds stays in, and under its hash.
 */
const text = z.string();
const texts = z.array(text);
const seconds = z.number();
const count = z.number();
const optionalText = text.exactOptional();
const object = z.looseObject;

const commonToFaults = {
  faultId: text,
  name: text,
  kind: z.enum(FAULT_KINDS),
  cluster: text,
  startSeconds: seconds,
};
const selector: z.ZodType<Selector> = object({ role: text, of: text.optional(), count: count.optional() });
const fault: z.ZodType<Fault> = object({
  ...commonToFaults,
  impactedNodes: texts,
  parameters: z.custom<FaultParameters>(isFaultParameters, 'are not the parameters of a kind'),
  chosenBy: z.array(object({ field: text, selector, nodes: texts })).exactOptional(),
});
const unchosenFault: z.ZodType<UnchosenFault> = object({
  ...commonToFaults,
  impactedNodes: z.never().exactOptional(),
  parameters: z.custom<RequestedParameters>(isRequestedParameters, 'are not what a request may say of a kind'),
});

/** Also what a reservation holds. */
const commonToExperiments = {
  experimentId: text,
  durationSeconds: seconds,
  safetyThreshold: object({ maxAlertSeverity: z.enum(ALERT_SEVERITIES), automaticRollbackOnAlert: z.boolean() }),
  budgets: object({ unavailableSeconds: seconds }).exactOptional(),
  hypothesis: loggedHypothesisSchema.exactOptional(),
  probe: probeChoicesSchema.exactOptional(),
};
export const experimentSchema: z.ZodType<Experiment> = object({ ...commonToExperiments, faults: z.array(fault) });
const requestedExperiment: z.ZodType<RequestedExperiment> = object({
  ...commonToExperiments,
  faults: z.array(z.union([fault, unchosenFault])),
});

const readingFields = {
  guardrail: text,
  cluster: text,
  value: z.number().exactOptional(),
  // JSON has no NaN, and a limit that is none is a breach which must be on record.
  limit: z
    .number()
    .nullable()
    .transform((limit) => limit ?? Number.NaN),
  breachWhen: z.enum(['above', 'below']),
  unit: text,
  ageSeconds: seconds.exactOptional(),
  maxAgeSeconds: seconds,
  breached: z.boolean(),
  reason: optionalText,
} satisfies Record<keyof Reading, unknown>;
export const readingSchema: z.ZodType<Reading> = object(readingFields);

const baseline: z.ZodType<Baseline> = object({
  readings: z.array(readingSchema),
  p99LatencyMs: z.number(),
  liveGateways: count,
  requestsPerSecond: z.number(),
});

const targetNode: z.ZodType<TargetNode> = object({
  name: text,
  instanceId: text,
  addresses: texts,
  port: z.number(),
  roles: z.array(object({ shard: text, role: text, unprobed: z.literal(true).exactOptional() })),
  availabilityZone: text,
  subnetId: text,
  dataVolumeIds: texts,
});
const resolvedFault: z.ZodType<ResolvedFault> = object({
  faultId: text,
  impacted: z.array(targetNode),
  peers: z.array(object({ name: text, addresses: texts })),
  shardMembers: z.array(targetNode),
});
const targets: z.ZodType<ResolvedTargets> = object({
  faults: z.array(resolvedFault),
  exemptAddresses: z.record(text, texts),
});

const terms = z.array(object({ step: text, seconds }));
const worstCase: z.ZodType<WorstCase> = object({
  abortSeconds: seconds,
  abortTerms: terms,
  leaseLossSeconds: seconds,
  ttlSeconds: seconds,
  fenceSeconds: seconds,
  service: object({
    withoutGuardSeconds: seconds,
    withoutGuardTerms: terms,
    bounds: z.array(object({ faultId: text, kind: text, seconds: seconds.nullable() })),
  }).exactOptional(),
  rules: object({ seconds, terms }).exactOptional(),
});
const clusterFacts: z.ZodType<ClusterFacts> = object({
  cluster: text,
  tier: z.enum(['production', 'staging']),
  liveNodes: count,
  impactedNodes: count,
  impactedNodesPct: z.number(),
  maxNodesPct: z.number(),
  impactedShards: texts,
  trafficSharePct: z.number(),
  maxTrafficSharePct: z.number(),
  scalingGroups: z
    .array(
      object({
        ...{ name: text, healthChecks: texts, suspendedProcesses: texts },
        healthCheckGraceSeconds: z.number().exactOptional(),
      }),
    )
    .exactOptional(),
  toleratedLoss: text.exactOptional(),
  warnings: texts.exactOptional(),
  guardrails: z.array(readingSchema),
  worstCase,
});
const facts: z.ZodType<AdmissionFacts> = object({
  clusters: z.array(clusterFacts),
  targets: z.array(resolvedFault),
  irreversible: z.array(object({ faultId: text, kind: z.enum(FAULT_KINDS), text })),
  approval: object({ hash: text, clusters: texts, expiresMinutes: z.number(), mayNotApprove: text }).exactOptional(),
  leadSeconds: z.number().exactOptional(),
  standingApproval: object({ by: text, until: text, hash: text }).exactOptional(),
  closing: object({ at: text, what: text }).exactOptional(),
});

const problem: z.ZodType<Problem> = object({
  type: z.custom<Problem['type']>((value) => typeof value === 'string' && value.startsWith('urn:holdfast:problem:')),
  title: text,
  status: z.number(),
  detail: text,
  errors: z.array(object({ field: text, message: text, allowed: text })).exactOptional(),
  runbook: optionalText,
});

const targetsCheck: z.ZodType<TargetsCheck> = object({
  cluster: text,
  liveNodes: count,
  impactedNodes: count,
  maxNodesPct: z.number(),
  problems: texts,
});
const command: z.ZodType<NodeCommand> = object({
  faultId: text,
  kind: z.enum(HOST_FAULT_KINDS),
  node: text,
  instanceId: text,
  parameters: z.record(text, text),
  undo: texts,
});
const action: z.ZodType<FisAction> = object({
  actionId: text,
  parameters: z.record(text, text),
  target: object({
    name: text,
    resourceType: text,
    resources: z.array(object({ kind: z.enum(['instance', 'volume', 'subnet']), id: text })),
  }),
  undo: texts,
  boundSeconds: seconds.exactOptional(),
});
const fisFault: z.ZodType<FisFault> = object({
  faultId: text,
  kind: z.enum(FIS_FAULT_KINDS),
  cluster: text,
  nodes: z.array(object({ node: text, instanceId: text })),
  action,
});
const remarks = {
  effect: object({ measure: text, value: z.number(), unit: text, observedAt: text }).exactOptional(),
  notes: texts.exactOptional(),
} satisfies Record<keyof HostRemarks, unknown>;
const nodeAnswer: z.ZodType<NodeAnswer> = object({
  node: text,
  instanceId: text,
  faultId: text,
  status: text,
  state: optionalText,
  reason: optionalText,
  appliedAt: optionalText,
  bootId: optionalText,
  ...remarks,
});
const fisAnswer: z.ZodType<FisAnswer> = z.union([
  object({ faultId: text, fisExperimentId: text }),
  object({ faultId: text, problem: text }),
]);
const answers = { nodes: z.array(nodeAnswer), services: z.array(fisAnswer) } satisfies Record<
  keyof BatchAnswers,
  unknown
>;
const injection = {
  injectedAt: text,
  endsAt: text,
  injectedFaults: texts,
  nextFaultAt: optionalText,
} satisfies Record<keyof Injection, unknown>;

const reason = { reason: z.enum(RELEASE_REASONS), detail: text };

const rollback: z.ZodType<RollbackResult> = object({
  outcome: z.enum(['ROLLED_BACK', 'ROLLBACK_FAILED']),
  rolledBackAt: optionalText,
  nodes: z.array(
    object({
      node: text,
      instanceId: text,
      faultId: text,
      outcome: z.enum(['REVERTED', 'NOTHING_TO_REVERT', 'FAILED']),
      revertReason: optionalText,
      effectLostAt: optionalText,
      liftedAt: optionalText,
      fence: object({ outcome: text, raisedAt: optionalText, loweredAt: optionalText }).exactOptional(),
      leftovers: texts,
      changes: texts.exactOptional(),
      detail: optionalText,
      ...remarks,
    }),
  ),
  services: z
    .array(
      object({
        faultId: text,
        fisExperimentId: text,
        state: text,
        outcome: z.enum(['REVERTED', 'FAILED']),
        begunAt: optionalText,
        endedAt: optionalText,
        detail: optionalText,
      }),
    )
    .exactOptional(),
  problems: texts.exactOptional(),
});

const recovery: z.ZodType<RecoveryResult & { impacted: string[] }> = object({
  outcome: z.enum(['RECOVERED', 'NOT_RECOVERED']),
  verifiedAt: text,
  problems: texts,
  repairs: texts.exactOptional(),
  impacted: texts,
});

const rollbackWatch: z.ZodType<RollbackWatch> = object({
  from: text,
  until: text,
  breaches: z.array(object({ ...readingFields, firstAt: text, lastAt: text })),
  unseen: texts,
});

const promotion = object({ shard: text, from: text, to: text, at: text });
const probed = { cluster: text, shard: text, invocation: text };
const latency: z.ZodType<LatencySummary> = object({
  count,
  p50: z.number(),
  p90: z.number(),
  p99: z.number(),
  max: z.number(),
  failed: count,
});
const recordExamples = z.array(object({ key: text, offset: z.number(), acknowledgedAt: text }));
const said = { value: optionalText, through: optionalText, timestampUs: z.number().exactOptional() };
const valueExamples = z.array(
  object({
    ...{ key: text, ...said, acknowledgedAt: text },
    instead: object({ ...said, acknowledgedAt: optionalText }).exactOptional(),
  }),
);
const measurement = {
  ...probed,
  observedFrom: optionalText,
  observedUntil: optionalText,
  largestGapSeconds: seconds,
  rtoSeconds: seconds.exactOptional(),
  unavailableSeconds: seconds.exactOptional(),
  stillFailing: z.boolean(),
  attemptedWrites: count,
  acknowledgedWrites: count,
  lostAcknowledgedWrites: count.exactOptional(),
  lossSpanSeconds: seconds.exactOptional(),
  records: object({
    lossSpanSeconds: seconds.exactOptional(),
    duplicated: count,
    reordered: count,
    repeatedOffsets: count,
    examples: object({
      lost: recordExamples,
      duplicated: recordExamples,
      reordered: recordExamples,
      repeatedOffsets: recordExamples,
    }),
  }).exactOptional(),
  values: object({
    lossSpanSeconds: seconds.exactOptional(),
    overwritten: count,
    resurrected: count,
    stale: count,
    unacknowledgedThrough: z.record(z.string(), count),
    examples: object({
      overwritten: valueExamples,
      resurrected: valueExamples,
      lost: valueExamples,
      stale: valueExamples,
    }),
  }).exactOptional(),
  failedWrites: count,
  firstFailureAt: optionalText,
  recoveredAt: optionalText,
  promotion: promotion.exactOptional(),
  provenOnImpacted: z.boolean(),
  staleReads: count.exactOptional(),
  latency: object({ writeMs: latency, readMs: latency, consumerLagMs: latency.exactOptional() }).exactOptional(),
  phases: z
    .array(
      object({
        phase: z.enum(RECOVERY_PHASES),
        at: text,
        secondsAfterFault: seconds,
        event: text,
        uncertaintyMs: z.number(),
      }),
    )
    .exactOptional(),
} satisfies Record<keyof ProbeMeasurement, unknown>;

const verdict: z.ZodType<Verdict> = object({
  status: z.enum(EXPERIMENT_STATUSES),
  outcome: z.enum(EXPERIMENT_OUTCOMES),
  budgets: z.array(
    object({
      cluster: text,
      name: z.enum(BUDGETS),
      limit: z.number(),
      measured: z.number().exactOptional(),
      met: z.boolean(),
    }),
  ),
  checks: checkVerdictsSchema.exactOptional(),
  findings: z
    .array(object({ cluster: text, failureMode: text, measure: text, value: z.number(), unit: text, setting: text }))
    .exactOptional(),
  reason: text,
});

const scheduleRun: z.ZodType<ScheduleRun> = object({
  schedule: text,
  scheduledAt: text,
  experimentId: text,
  result: z.enum(SCHEDULE_RESULTS),
  problem: problem.exactOptional(),
});
const switchFields = { cluster: optionalText, reason: text };
const switchChange: z.ZodType<SwitchChange> = object(switchFields);
const switchEngaging: z.ZodType<SwitchEngaging> = object({
  ...switchFields,
  engagedBy: optionalText,
  engagedAt: optionalText,
});

export const detailsSchemas: { [T in EntryType]: z.ZodType<EntryDetails[T]> } = {
  REFUSED: object({ problem, dryRun: z.boolean(), experiment: requestedExperiment.exactOptional() }),
  APPROVAL_REQUESTED: object({ requested: requestedExperiment, experiment: experimentSchema, facts, expiresAt: text }),
  APPROVED: object({ hash: text }),
  ADMITTED: object({ experiment: experimentSchema, facts }),
  ANNOUNCED: object({ topicArn: text, messageId: text, startsAt: text }),
  STEADY_STATE_CONFIRMED: object({ baselines: z.record(text, baseline), checks: checkReadingsSchema.exactOptional() }),
  TARGETS_RESOLVED: object({ targets }),
  PROBE_READY: object({ ...probed, checks: checkReadingsSchema.exactOptional() }),
  TARGETS_CHECKED: object({ clusters: z.array(targetsCheck) }),
  INJECTING: object({ commands: z.array(command), services: z.array(fisFault) }),
  INJECTED: object({ ...injection, ...answers, faults: texts, confirmedAt: text }),
  INJECTION_SKIPPED: object({ faults: texts, reason: text }),
  INJECTION_FAILED: object({ ...answers, reason: text }),
  ALARM_ARRIVED: object({ cluster: text, alarm: text, severity: z.enum(ALERT_SEVERITIES), firedAt: optionalText }),
  GUARD_STOPPED: object({
    ...reason,
    breaches: z.array(readingSchema),
    peakP99LatencyMs: z.record(text, z.number()),
    evaluations: count,
  }),
  ABORT_REQUESTED: object(reason),
  PROMOTION_OBSERVED: promotion,
  ROLLING_BACK: object(reason),
  ROLLED_BACK: rollback,
  ROLLBACK_FAILED: rollback,
  RECOVERY_VERIFIED: recovery,
  RECOVERY_FAILED: recovery,
  ROLLBACK_WATCHED: rollbackWatch,
  CHECK_CHANGED: checkChangeSchema,
  CHECKS_OBSERVED: checkObservationSchema,
  LATENCY_RECORDED: object({
    ...probed,
    operation: z.enum(TIMED_OPERATIONS),
    fromSecond: z.int(),
    histograms: texts,
    failed: z.array(count),
  }),
  PROBE_MEASURED: object({ ...measurement, outages: count, problems: texts }),
  CONCLUDED: verdict,
  SCHEDULE_RUN: scheduleRun,
  SCHEDULE_PAUSED: object({ schedule: text }),
  SCHEDULE_RESUMED: object({ schedule: text }),
  KILL_SWITCH_ENGAGING: switchEngaging,
  KILL_SWITCH_ENGAGED: object({
    alreadyEngaged: z.boolean(),
    steps: z.array(
      object({ step: z.enum(ENGAGE_STEPS), outcome: z.enum(['DONE', 'FAILED', 'NOT_NEEDED']), detail: text }),
    ),
  }),
  KILL_SWITCH_RE_ARMING: switchChange,
};
export const ENTRY_TYPES = Object.keys(detailsSchemas) as [EntryType, ...EntryType[]];

export const callerSchema = object({ arn: text, accountId: text, sourceIp: text });
const actor: z.ZodType<Actor> = z.union([callerSchema, object({ function: text })]);

/** Of every entry, whatever its type. */
export const rowFields = {
  experimentId: text,
  sequence: z.int().positive(),
  type: z.enum(ENTRY_TYPES),
  at: text,
  actor,
  details: z.unknown(),
  previousHash: text,
  hash: text,
};
const rowSchema = object(rowFields);

/** @throws Error that names experiment, sequence, type and the field that does not fit. */
export function parseEntry(value: Readonly<Record<string, unknown>>): AuditEntry {
  const refuse = (path: readonly PropertyKey[], error: z.ZodError): never => {
    const [issue] = error.issues;
    const where = `audit log of ${value.experimentId}, entry ${value.sequence} (${value.type})`;
    throw new Error(`${where}: ${[...path, ...(issue?.path ?? [])].join('.')}: ${issue?.message}`);
  };
  const row = rowSchema.safeParse(value);
  if (!row.success) return refuse([], row.error);
  const details = detailsSchemas[row.data.type].safeParse(row.data.details);
  if (!details.success) return refuse(['details'], details.error);
  // detailsSchemas holds each type to its details, which the compiler does not follow through a look-up.
  return { ...row.data, details: details.data } as AuditEntry;
}
