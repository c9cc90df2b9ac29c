import { z } from 'zod';
import { EXPERIMENT_STATUSES } from '../functions/domain/experiment.ts';
import { chosenBy, targetNode } from './target-node.ts';

/**
 * The parts of the API's answers that the command shows. Loose on purpose: what is not shown may change freely, and `--json`
 * passes everything on as it came.
 */
const status = z.enum(EXPERIMENT_STATUSES);
const outcome = z.enum(['CONFIRMED', 'DEVIATED', 'INCONCLUSIVE']);

const reading = z.looseObject({
  guardrail: z.string(),
  value: z.number().nullish(),
  limit: z.number(),
  breachWhen: z.enum(['above', 'below']),
  unit: z.string(),
  ageSeconds: z.number().nullish(),
  maxAgeSeconds: z.number(),
  breached: z.boolean(),
  reason: z.string().nullish(),
});
export type ShownReading = z.infer<typeof reading>;

/** A check of the steady state or the hypothesis. */
const checked = {
  name: z.string(),
  cluster: z.string(),
  /** For a person. */
  measure: z.string().nullish(),
  when: z.string(),
  withinSeconds: z.number().nullish(),
  tolerance: z.looseObject({ atLeast: z.number().nullish(), atMost: z.number().nullish() }),
  unit: z.string(),
};
const check = z.looseObject({
  ...checked,
  state: z.enum(['PENDING', 'HOLDS', 'FAILS', 'UNKNOWN']),
  value: z.number().nullish(),
  since: z.string().nullish(),
});
export type ShownCheck = z.infer<typeof check>;

const finding = z.looseObject({
  cluster: z.string(),
  failureMode: z.string(),
  measure: z.string(),
  value: z.number(),
  unit: z.string(),
  setting: z.string(),
});

const checkResult = z.looseObject({
  ...checked,
  result: z.enum(['HELD', 'FAILED', 'UNKNOWN']),
  measured: z.number().nullish(),
  failedSeconds: z.number().nullish(),
  firstFailedAt: z.string().nullish(),
  lastFailedAt: z.string().nullish(),
  unknownSeconds: z.number().nullish(),
  /** Of an expected alert. */
  arrivedAt: z.string().nullish(),
  reason: z.string().nullish(),
});
export type ShownCheckResult = z.infer<typeof checkResult>;

/** The nodes of one fault, with what the store says of them. */
const target = z.looseObject({
  faultId: z.string(),
  impacted: z.array(targetNode),
  shardMembers: z.array(targetNode).nullish(),
});

/** What another person has to approve, or has approved. */
export const approvalSchema = z.looseObject({
  hash: z.string(),
  mayNotApprove: z.string(),
  expiresAt: z.string().nullish(),
  expiresMinutes: z.number().nullish(),
});
export type ShownApproval = z.infer<typeof approvalSchema>;

/** A node that a fault is meant for, until its rollback has answered. */
const impactedNode = z.looseObject({ podName: z.string(), instanceId: z.string().nullish(), faultState: z.string() });

export const statusSchema = z.looseObject({
  experimentId: z.string(),
  status,
  outcome: outcome.nullish(),
  elapsedSeconds: z.number().nullish(),
  remainingSeconds: z.number().nullish(),
  guardrails: z.array(reading).nullish(),
  impactedNodes: z.array(impactedNode).nullish(),
  checks: z.array(check).nullish(),
  approval: approvalSchema.nullish(),
});
export type StatusDocument = z.infer<typeof statusSchema>;

/** An entry of the log. What is not named here is under its hash as well, but for the summary. */
const timelineEntry = z.looseObject({
  sequence: z.number(),
  type: z.string(),
  at: z.string(),
  summary: z.string(),
});
export type TimelineEntry = z.infer<typeof timelineEntry>;

/** What a host said beside the state of its fault. */
const effect = z.looseObject({ measure: z.string(), value: z.number(), unit: z.string() }).nullish();
const notes = z.array(z.string()).nullish();

/** A node once its rollback has answered. */
const nodeRollback = z.looseObject({
  node: z.string(),
  outcome: z.enum(['REVERTED', 'NOTHING_TO_REVERT', 'FAILED']),
  revertReason: z.string().nullish(),
  effectLostAt: z.string().nullish(),
  liftedAt: z.string().nullish(),
  fence: z
    .looseObject({ outcome: z.string(), raisedAt: z.string().nullish(), loweredAt: z.string().nullish() })
    .nullish(),
  leftovers: z.array(z.string()),
  detail: z.string().nullish(),
  effect,
  notes,
});

export type NodeRollbackShown = z.infer<typeof nodeRollback>;
/** @returns false for a node whose rollback has not answered: nothing is proven of it. */
export function isRolledBack(
  node: z.infer<typeof nodeRollback> | z.infer<typeof impactedNode>,
): node is NodeRollbackShown {
  return nodeRollback.safeParse(node).success;
}

const writtenValue = {
  value: z.string().nullish(),
  through: z.string().nullish(),
  timestampUs: z.number().nullish(),
};

const probe = z.looseObject({
  cluster: z.string(),
  shard: z.string(),
  observedFrom: z.string().nullish(),
  observedUntil: z.string().nullish(),
  largestGapSeconds: z.number(),
  stillFailing: z.boolean(),
  rtoSeconds: z.number().nullish(),
  unavailableSeconds: z.number().nullish(),
  acknowledgedWrites: z.number(),
  lostAcknowledgedWrites: z.number().nullish(),
  lossSpanSeconds: z.number().nullish(),
  /** Of a store that is a log: what else became of acknowledged writes, with examples. */
  records: z
    .looseObject({
      lossSpanSeconds: z.number().nullish(),
      duplicated: z.number(),
      reordered: z.number(),
      repeatedOffsets: z.number().nullish(),
      examples: z
        .record(z.string(), z.array(z.looseObject({ key: z.string(), offset: z.number(), acknowledgedAt: z.string() })))
        .nullish(),
    })
    .nullish(),
  /** Of a store that keeps one value a key: how acknowledged writes were lost, or hidden for a while, with examples. */
  values: z
    .looseObject({
      lossSpanSeconds: z.number().nullish(),
      overwritten: z.number(),
      resurrected: z.number(),
      stale: z.number(),
      unacknowledgedThrough: z.record(z.string(), z.number()).nullish(),
      examples: z
        .record(
          z.string(),
          z.array(
            z.looseObject({
              ...{ key: z.string(), ...writtenValue, acknowledgedAt: z.string() },
              instead: z.looseObject({ ...writtenValue, acknowledgedAt: z.string().nullish() }).nullish(),
            }),
          ),
        )
        .nullish(),
    })
    .nullish(),
  /** The outage in its phases, each with the event that dates it. */
  phases: z
    .array(
      z.looseObject({
        phase: z.string(),
        at: z.string(),
        secondsAfterFault: z.number(),
        event: z.string(),
        uncertaintyMs: z.number(),
      }),
    )
    .nullish(),
});

export const experimentSchema = z.looseObject({
  experimentId: z.string(),
  status,
  outcome: outcome.nullish(),
  reason: z.string().nullish(),
  approval: approvalSchema.nullish(),
  experiment: z.looseObject({ faults: z.array(z.looseObject({ faultId: z.string(), chosenBy })) }).nullish(),
  /** As they were at the injection. */
  targets: z.array(target).nullish(),
  budgets: z
    .array(
      z.looseObject({
        cluster: z.string(),
        name: z.string(),
        limit: z.number(),
        measured: z.number().nullish(),
        met: z.boolean(),
      }),
    )
    .nullish(),
  /** Of the hypothesis, once it is judged. */
  checks: z.array(checkResult).nullish(),
  /** Known failure modes that it shows. */
  findings: z.array(finding).nullish(),
  /** What the probe saw of each impacted shard. */
  probes: z.array(probe).nullish(),
  nodes: z.array(z.union([nodeRollback, impactedNode])).nullish(),
  /** Faults in AWS FIS; of one that is over, how it ended. */
  services: z
    .array(
      z.looseObject({
        faultId: z.string(),
        ...{ state: z.string().nullish(), outcome: z.string().nullish(), detail: z.string().nullish() },
      }),
    )
    .nullish(),
  /** To the commands that inject. */
  answers: z.array(z.looseObject({ node: z.string(), effect, notes })).nullish(),
  record: z.array(z.record(z.string(), z.unknown())).nullish(),
  timeline: z.array(timelineEntry),
});
export type ExperimentDocument = z.infer<typeof experimentSchema>;

/** What admission saw of one cluster; percentages 0-100. */
const clusterFacts = z.looseObject({
  toleratedLoss: z.string().nullish(),
  scalingGroups: z.array(z.looseObject({ name: z.string(), suspendedProcesses: z.array(z.string()) })).nullish(),
  warnings: z.array(z.string()).nullish(),
  cluster: z.string(),
  liveNodes: z.number(),
  impactedNodes: z.number(),
  impactedNodesPct: z.number(),
  maxNodesPct: z.number(),
  trafficSharePct: z.number(),
  maxTrafficSharePct: z.number(),
  worstCase: z.looseObject({
    abortSeconds: z.number(),
    leaseLossSeconds: z.number(),
    ttlSeconds: z.number(),
    /** Only with faults that a service applies. */
    service: z.looseObject({ withoutGuardSeconds: z.number() }).nullish(),
    /** Only where telemetry is in AMP. */
    rules: z.looseObject({ seconds: z.number() }).nullish(),
  }),
});

/** Not loose: by its fields one is told from the other. */
const plannedCommand = z.object({
  node: z.string(),
  document: z.string(),
  startSeconds: z.number().nullish(),
  undo: z.array(z.string()),
});
const plannedService = z.object({
  nodes: z.array(z.looseObject({ node: z.string() })),
  startSeconds: z.number().nullish(),
  action: z.looseObject({ actionId: z.string(), undo: z.array(z.string()), boundSeconds: z.number().nullish() }),
});
export type PlannedAct = z.infer<typeof plannedCommand> | z.infer<typeof plannedService>;

export const dryRunSchema = z.looseObject({
  admitted: z.literal(true),
  experiment: z.looseObject({ faults: z.array(z.looseObject({ faultId: z.string(), kind: z.string(), chosenBy })) }),
  facts: z.looseObject({
    clusters: z.array(clusterFacts),
    targets: z.array(target.extend({ impacted: z.array(targetNode.extend({ instanceId: z.string() })) })),
    irreversible: z.array(z.looseObject({ kind: z.string(), text: z.string() })).nullish(),
    approval: approvalSchema.nullish(),
    leadSeconds: z.number().nullish(),
    closing: z.looseObject({ at: z.string(), what: z.string() }).nullish(),
  }),
  wouldRun: z.array(z.union([plannedCommand, plannedService])).nullish(),
});
export type DryRunDocument = z.infer<typeof dryRunSchema>;

export const problemSchema = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string().nullish(),
  errors: z.array(z.looseObject({ field: z.string(), message: z.string(), allowed: z.unknown().nullish() })).nullish(),
});
export type ProblemDocument = z.infer<typeof problemSchema>;

export const listSchema = z.looseObject({
  experiments: z.array(z.record(z.string(), z.unknown())),
  truncated: z.boolean().nullish(),
});

const shownSchedule = z.looseObject({
  schedule: z.string(),
  state: z.string(),
  expression: z.string(),
  timeZone: z.string(),
  nextAt: z.string().nullish(),
  /** Why nobody knows its state. */
  reason: z.string().nullish(),
  lastRun: z
    .looseObject({
      scheduledAt: z.string(),
      experimentId: z.string(),
      result: z.string(),
      status: z.string().nullish(),
      outcome: z.string().nullish(),
      /** Why nobody knows its status. */
      reason: z.string().nullish(),
      problem: z.looseObject({ detail: z.string() }).nullish(),
    })
    .nullish(),
});
export type ShownSchedule = z.infer<typeof shownSchedule>;
export const scheduleListSchema = z.looseObject({ schedules: z.array(shownSchedule) });

/** The log as `verify` reads it: every field of an entry is under its hash, but for the summary. */
export const chainSchema = z.looseObject({
  status,
  timeline: z.array(
    z.looseObject({
      experimentId: z.string(),
      sequence: z.number(),
      type: z.string(),
      at: z.string(),
      details: z.unknown(),
      previousHash: z.string(),
      hash: z.string(),
      summary: z.string(),
    }),
  ),
  chainVerified: z.boolean().nullish(),
});
