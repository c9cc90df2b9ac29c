import * as z from 'zod';
import { EXPERIMENT_OUTCOMES } from '../../functions/domain/experiment.ts';
import { chosenBy, targetNode } from '../target-node.ts';

/**
 * What is compared of a run: the same from `GET …/{id}` and from the document of `--json`. Loose on purpose: each part
 * may be missing, and is then not measured.
 */
const count = z.number().nullish();

const percentiles = z.looseObject({ p50: count, p90: count, p99: count, max: count, failed: count }).nullish();

const probe = z.looseObject({
  cluster: z.string(),
  shard: z.string(),
  acknowledgedWrites: count,
  failedWrites: count,
  staleReads: count,
  lossSpanSeconds: count,
  records: z.looseObject({ lossSpanSeconds: count, duplicated: count, reordered: count }).nullish(),
  values: z
    .looseObject({
      ...{ lossSpanSeconds: count, overwritten: count, resurrected: count },
      unacknowledgedThrough: z.record(z.string(), z.number()).nullish(),
    })
    .nullish(),
  phases: z.array(z.looseObject({ phase: z.string(), secondsAfterFault: count })).nullish(),
  latency: z.looseObject({ writeMs: percentiles, readMs: percentiles, consumerLagMs: percentiles }).nullish(),
});

export const CHECK_RESULTS = ['HELD', 'FAILED', 'UNKNOWN'] as const;
export type CheckResult = (typeof CHECK_RESULTS)[number];

const check = z.looseObject({
  name: z.string(),
  cluster: z.string().nullish(),
  measure: z.string().nullish(),
  when: z.string().nullish(),
  withinSeconds: count,
  tolerance: z.looseObject({ atLeast: count, atMost: count }).nullish(),
  unit: z.string(),
  result: z.enum(CHECK_RESULTS),
  measured: count,
  heldAfterSeconds: count,
});

const fault = z.looseObject({
  faultId: z.string(),
  kind: z.string(),
  cluster: z.string(),
  startSeconds: count,
  impactedNodes: z.array(z.string()),
  parameters: z.record(z.string(), z.unknown()),
  chosenBy,
});

/** Rows of the mission's `chaos_experiment_logs`; its columns, its names. */
const row = z.looseObject({
  target_cluster: z.string(),
  baseline_latency_ms: count,
  peak_latency_ms: count,
});

export const runSchema = z.looseObject({
  experimentId: z.string(),
  status: z.string(),
  outcome: z.enum(EXPERIMENT_OUTCOMES).nullish(),
  reason: z.string().nullish(),
  experiment: z.looseObject({ faults: z.array(fault), durationSeconds: z.number() }).nullish(),
  targets: z
    .array(
      z.looseObject({
        faultId: z.string(),
        impacted: z.array(targetNode),
        peers: z.array(targetNode).nullish(),
        shardMembers: z.array(targetNode).nullish(),
      }),
    )
    .nullish(),
  budgets: z
    .array(z.looseObject({ cluster: z.string(), name: z.string(), limit: z.number(), measured: count }))
    .nullish(),
  probes: z.array(probe).nullish(),
  findings: z.array(z.looseObject({ cluster: z.string(), failureMode: z.string() })).nullish(),
  checks: z.array(check).nullish(),
  /** The API's name, and that of `--json`. */
  record: z.array(row).nullish(),
  records: z.array(row).nullish(),
});
export type RunDocument = z.infer<typeof runSchema>;

/** The part of a run's document that other commands read again. */
export function runSummary(document: RunDocument): RunDocument {
  const { experimentId, status, outcome, reason, experiment, targets, budgets, probes, checks, findings, nodes } =
    document;
  const records = document.records ?? document.record ?? [];
  return {
    experimentId,
    status,
    outcome,
    reason,
    experiment,
    targets,
    budgets,
    probes,
    checks,
    findings,
    records,
    nodes,
  };
}

/** A run that ended as planned and taught something; of any other a value says nothing about the next run. */
export function counts({ status, outcome }: Pick<RunDocument, 'status' | 'outcome'>): boolean {
  return status === 'COMPLETED' && (outcome === 'CONFIRMED' || outcome === 'DEVIATED');
}
