import type { AdmissionFacts } from '../../../functions/domain/admission.ts';
import type { ApprovalDemand } from '../../../functions/domain/approval.ts';
import {
  type Actor,
  type AuditEntry,
  type EntryDetails,
  type EntryType,
  isEntryOf,
} from '../../../functions/domain/audit-entry.ts';
import { ENTRY_TYPES, parseEntry } from '../../../functions/domain/audit-schemas.ts';
import { asJson } from '../../../functions/domain/digest.ts';
import type { Caller, Fault } from '../../../functions/domain/experiment.ts';
import { FENCE_UNDO } from '../../../functions/domain/faults/kind.ts';
import { hashEntry } from '../../../functions/domain/hash-chain.ts';
import { problem } from '../../../functions/domain/problem.ts';
import type {
  Baseline,
  HostRemarks,
  NodeAnswer,
  NodeCommand,
  NodeRollback,
  Reading,
} from '../../../functions/domain/workflow.ts';
import { SEED_FAULT, seedExperiment } from './experiment-fixtures.ts';
import { roleIn, targetNode } from './target-fixtures.ts';

/** Audit logs as a real run leaves them. */

export const CALLER: Caller = {
  arn: 'arn:aws:iam::111122223333:user/ana',
  accountId: '111122223333',
  sourceIp: '192.0.2.1',
};
export const EPOCH_MS = Date.parse('2026-05-29T13:12:00Z');
export const iso = (seconds: number) => new Date(EPOCH_MS + seconds * 1000).toISOString();

/** Other values for some fields; `undefined` leaves a field out. */
export type Changes<T> = { [K in keyof T]?: T[K] | undefined };

function changed<T extends object>(base: T, changes: Changes<T>): T {
  const kept = Object.entries({ ...base, ...changes }).filter(([, value]) => value !== undefined);
  // What is left out must be optional: `parseEntry` refuses the entry otherwise.
  return Object.fromEntries(kept) as T;
}

const { faultId } = SEED_FAULT;
const onNode3 = { node: 'redis-node-3', instanceId: 'i-3', faultId };

export const reading = (guardrail: string, changes: Changes<Reading> = {}): Reading =>
  changed(
    {
      ...{ guardrail, cluster: 'redis-master', value: 0.1, limit: 200, breachWhen: 'above', unit: '%' },
      ...{ ageSeconds: 0.5, maxAgeSeconds: 3, breached: false },
    },
    changes,
  );
const readings = ['errorRatePct', 'p99WriteLatencyMs', 'freeWorkersPct'].map((name) => reading(name));

export const baselineOf = (changes: Changes<Baseline> = {}): Baseline =>
  changed({ readings, p99LatencyMs: 9.876, liveGateways: 2, requestsPerSecond: 900 }, changes);

/** As `inject-fault` writes it, the parameters shortened. */
export const command = (changes: Changes<NodeCommand> = {}): NodeCommand =>
  changed(
    {
      ...onNode3,
      kind: 'NETWORK_PARTITION',
      parameters: { packetLossPct: '100', scope: 'isolate' },
      undo: [
        'let packets between the node and redis-node-1, redis-node-2 pass again',
        'let clients reach the store ports again',
        FENCE_UNDO,
      ],
    },
    changes,
  );

/** What that host saw of the fault, and what it says of itself. */
export const remarks: Required<HostRemarks> = {
  effect: { measure: 'packets through the fault', value: 1234, unit: 'packets', observedAt: iso(62) },
  notes: ['this kernel has no IP sets: the fault does not end in the kernel by itself'],
};

/** What the host of `command()` answered. */
export const nodeAnswer = (changes: Changes<NodeAnswer> = {}): NodeAnswer =>
  changed({ ...onNode3, status: 'Success', state: 'APPLIED', appliedAt: iso(2.9), bootId: 'boot-1' }, changes);

/** A host that reverted at the end of its TTL. */
export const reverted = (changes: Changes<NodeRollback> = {}): NodeRollback =>
  changed({ ...onNode3, outcome: 'REVERTED', revertReason: 'TTL', liftedAt: iso(62.9), leftovers: [] }, changes);

/** A rollback of one node that ended like this. */
export function rolledBack(node: Changes<NodeRollback> = {}): EntryDetails['ROLLED_BACK'] {
  return { outcome: 'ROLLED_BACK', rolledBackAt: iso(63), nodes: [reverted(node)] };
}
export function rollbackFailed(node: Changes<NodeRollback> = {}): EntryDetails['ROLLBACK_FAILED'] {
  return { outcome: 'ROLLBACK_FAILED', nodes: [reverted({ outcome: 'FAILED', detail: 'no report', ...node })] };
}

const peers = [1, 2].map((number) => targetNode(number)).map(({ name, addresses }) => ({ name, addresses }));
const impacted = [targetNode(3, { roles: [roleIn('shard-1', 'master')] })];
const resolved = { faultId, impacted, peers, shardMembers: [targetNode(1), targetNode(2), ...impacted] };

/** The shard of the mission's example, measured by one invocation. */
const PROBED = { cluster: 'redis-master', shard: 'shard-1', invocation: 'invocation-1' };

/** Each fault on one node of its own, all in the shard that the probe of `fullRun` measured. */
export const targetsOf = (faults: readonly Fault[]): EntryDetails['TARGETS_RESOLVED'] => ({
  targets: {
    faults: faults.map((fault, index) => ({
      ...{ faultId: fault.faultId, impacted: [targetNode(index + 1)], peers: [], shardMembers: [] },
    })),
    exemptAddresses: {},
  },
});

/** What admission saw. */
export const FACTS: AdmissionFacts = {
  clusters: [
    {
      cluster: 'redis-master',
      tier: 'production',
      liveNodes: 12,
      impactedNodes: 1,
      impactedNodesPct: 100 / 12,
      maxNodesPct: 10,
      impactedShards: ['shard-1'],
      trafficSharePct: 0.3,
      maxTrafficSharePct: 10,
      guardrails: readings,
      worstCase: {
        ...{ abortSeconds: 9, abortTerms: [{ step: 'all of it', seconds: 9 }] },
        ...{ leaseLossSeconds: 4, ttlSeconds: 60, fenceSeconds: 15 },
      },
    },
  ],
  targets: [resolved],
  irreversible: [],
};
/** Another person than `CALLER`. */
export const APPROVER: Caller = { ...CALLER, arn: 'arn:aws:iam::111122223333:user/ben' };
export const APPROVAL: ApprovalDemand = {
  hash: 'a'.repeat(64),
  clusters: ['redis-master'],
  expiresMinutes: 60,
  mayNotApprove: CALLER.arn,
};

/** Details, author and second of every type of entry, in a run of the mission's example. */
const DEFAULTS: { [T in EntryType]: { by: Actor; second: number; details: EntryDetails[T] } } = {
  REFUSED: {
    ...{ by: CALLER, second: 0 },
    details: { problem: problem('alarm-firing', 'not started: orders-5xx is ALARM'), dryRun: false },
  },
  APPROVAL_REQUESTED: {
    ...{ by: CALLER, second: 0 },
    details: {
      requested: seedExperiment(),
      experiment: seedExperiment(),
      facts: { ...FACTS, approval: APPROVAL },
      expiresAt: iso(3600),
    },
  },
  APPROVED: { by: APPROVER, second: 10, details: { hash: APPROVAL.hash } },
  ADMITTED: { ...{ by: CALLER, second: 0 }, details: { experiment: seedExperiment(), facts: FACTS } },
  ANNOUNCED: {
    ...{ by: CALLER, second: 0 },
    details: { topicArn: 'arn:aws:sns:eu-west-1:111122223333:Info', messageId: 'message-1', startsAt: iso(0) },
  },
  STEADY_STATE_CONFIRMED: {
    ...{ by: { function: 'check-steady-state' }, second: 1 },
    details: { baselines: { 'redis-master': baselineOf() } },
  },
  TARGETS_RESOLVED: {
    ...{ by: { function: 'resolve-targets' }, second: 1 },
    details: { targets: { faults: [resolved], exemptAddresses: { 'redis-master': ['10.77.0.99'] } } },
  },
  PROBE_READY: { by: { function: 'probe' }, second: 2, details: PROBED },
  TARGETS_CHECKED: {
    ...{ by: { function: 'check-targets' }, second: 2 },
    details: {
      clusters: [{ cluster: 'redis-master', liveNodes: 12, impactedNodes: 1, maxNodesPct: 10, problems: [] }],
    },
  },
  INJECTING: { by: { function: 'inject-fault' }, second: 2, details: { commands: [command()], services: [] } },
  INJECTED: {
    ...{ by: { function: 'inject-fault' }, second: 3 },
    details: {
      ...{ injectedAt: iso(3), endsAt: iso(63), injectedFaults: [faultId], faults: [faultId], confirmedAt: iso(3) },
      ...{ nodes: [nodeAnswer()], services: [] },
    },
  },
  INJECTION_SKIPPED: {
    ...{ by: { function: 'inject-fault' }, second: 62 },
    details: { faults: [faultId], reason: 'less than a second was left' },
  },
  INJECTION_FAILED: {
    ...{ by: { function: 'inject-fault' }, second: 43 },
    details: {
      reason: 'redis-node-3: no report (SSM: DEADLINE)',
      nodes: [nodeAnswer({ status: 'DEADLINE', state: undefined, appliedAt: undefined, bootId: undefined })],
      services: [],
    },
  },
  ALARM_ARRIVED: {
    ...{ by: { function: 'on-alarm' }, second: 20 },
    details: { cluster: 'redis-master', alarm: 'orders-5xx', severity: 'CRITICAL', firedAt: iso(19) },
  },
  GUARD_STOPPED: {
    ...{ by: { function: 'guard' }, second: 63 },
    details: {
      ...{ reason: 'TTL', detail: `held until ${iso(63)}`, breaches: [], evaluations: 60 },
      peakP99LatencyMs: { 'redis-master': 21.239 },
    },
  },
  ABORT_REQUESTED: {
    ...{ by: CALLER, second: 30 },
    details: { reason: 'ABORT', detail: `requested by ${CALLER.arn}` },
  },
  PROMOTION_OBSERVED: {
    ...{ by: { function: 'probe' }, second: 9 },
    details: { shard: 'shard-1', from: 'redis-node-3', to: 'redis-node-1', at: iso(9) },
  },
  ROLLING_BACK: {
    ...{ by: { function: 'roll-back' }, second: 63 },
    details: { reason: 'TTL', detail: 'the time of the experiment is over' },
  },
  ROLLED_BACK: { by: { function: 'roll-back' }, second: 64, details: rolledBack() },
  ROLLBACK_FAILED: { by: { function: 'roll-back' }, second: 103, details: rollbackFailed() },
  RECOVERY_VERIFIED: {
    ...{ by: { function: 'verify-recovery' }, second: 70 },
    details: { outcome: 'RECOVERED', verifiedAt: iso(70), problems: [], impacted: ['redis-node-3'] },
  },
  RECOVERY_FAILED: {
    ...{ by: { function: 'verify-recovery' }, second: 124 },
    details: {
      ...{ outcome: 'NOT_RECOVERED', verifiedAt: iso(124), impacted: ['redis-node-3'] },
      problems: ['shard-1: redis-node-3 does not answer: timeout'],
    },
  },
  ROLLBACK_WATCHED: {
    ...{ by: { function: 'verify-recovery' }, second: 72 },
    details: { from: iso(60), until: iso(72), breaches: [], unseen: [] },
  },
  PROBE_MEASURED: {
    ...{ by: { function: 'probe' }, second: 74 },
    details: {
      ...PROBED,
      ...{ observedFrom: iso(1), observedUntil: iso(73.5), largestGapSeconds: 0.06 },
      ...{ rtoSeconds: 6.5, unavailableSeconds: 6.5, stillFailing: false, outages: 1, problems: [] },
      provenOnImpacted: true,
      ...{ attemptedWrites: 700, acknowledgedWrites: 640, lostAcknowledgedWrites: 0, failedWrites: 60 },
    },
  },
  CHECK_CHANGED: {
    ...{ by: { function: 'probe' }, second: 4 },
    details: { check: 'no loss', state: 'HOLDS', value: 0 },
  },
  CHECKS_OBSERVED: {
    ...{ by: { function: 'probe' }, second: 79 },
    details: { probed: PROBED, fromSecond: EPOCH_MS / 1000, series: [{ check: 'quick writes', values: [1.5, null] }] },
  },
  LATENCY_RECORDED: {
    ...{ by: { function: 'probe' }, second: 79 },
    details: { ...PROBED, operation: 'write', fromSecond: EPOCH_MS / 1000, histograms: ['', ''], failed: [0, 1] },
  },
  CONCLUDED: {
    ...{ by: { function: 'conclude-experiment' }, second: 75 },
    details: { status: 'COMPLETED', outcome: 'CONFIRMED', budgets: [], reason: 'every budget was met' },
  },
  SCHEDULE_RUN: {
    ...{ by: CALLER, second: 0 },
    details: {
      ...{ schedule: 'weekly', scheduledAt: '2026-06-02T08:00:00Z', experimentId: 'weekly-20260602T080000Z' },
      result: 'STARTED',
    },
  },
  SCHEDULE_PAUSED: { by: CALLER, second: 0, details: { schedule: 'weekly' } },
  SCHEDULE_RESUMED: { by: CALLER, second: 0, details: { schedule: 'weekly' } },
  KILL_SWITCH_ENGAGING: { ...{ by: CALLER, second: 0 }, details: { reason: 'a bad release' } },
  KILL_SWITCH_ENGAGED: {
    ...{ by: CALLER, second: 0 },
    details: { alreadyEngaged: false, steps: [{ step: 'SWITCH', outcome: 'DONE', detail: 'nothing starts' }] },
  },
  KILL_SWITCH_RE_ARMING: { ...{ by: CALLER, second: 0 }, details: { reason: 'all is well' } },
};

/** What is left of a run that went as planned, before it is concluded. */
const PLANNED: readonly EntryType[] = [
  'ADMITTED',
  'STEADY_STATE_CONFIRMED',
  'TARGETS_RESOLVED',
  'PROBE_READY',
  'INJECTING',
  'INJECTED',
  'GUARD_STOPPED',
  'ROLLING_BACK',
  'ROLLED_BACK',
  'RECOVERY_VERIFIED',
  'ROLLBACK_WATCHED',
  'PROBE_MEASURED',
];

/** Complete details of that type, with other values for some fields. */
export function detailsOf<T extends EntryType>(type: T, changes: Changes<EntryDetails[T]> = {}): EntryDetails[T] {
  return changed(DEFAULTS[type].details, changes);
}

/**
 * The next entry of a log, with the hash that the log itself would give it.
 * @throws Error for details that could not be in a real log.
 */
export function following(
  log: readonly AuditEntry[],
  content: { experimentId: string; type: EntryType; actor: Actor; details: object; at: string },
): AuditEntry {
  const last = log.findLast(({ experimentId }) => experimentId === content.experimentId);
  const unhashed = asJson({ ...content, sequence: (last?.sequence ?? 0) + 1, previousHash: last?.hash ?? '' });
  return parseEntry({ ...unhashed, hash: hashEntry(unhashed) });
}

/** An entry of a log: its type, what is other in its details, and when it was written; a second after the one before. */
export type Given = {
  [T in EntryType]: readonly [type: T, changes?: Changes<EntryDetails[T]>, atSeconds?: number];
}[EntryType];

/** A log with an unbroken chain. */
export function logOf(experimentId: string, ...entries: readonly Given[]): AuditEntry[] {
  return written([], experimentId, entries);
}

/** The log and what is written behind it. */
export function logAfter(log: readonly AuditEntry[], ...entries: readonly Given[]): AuditEntry[] {
  return written(log, log.at(-1)?.experimentId ?? '', entries);
}

function written(before: readonly AuditEntry[], experimentId: string, entries: readonly Given[]): AuditEntry[] {
  const log = [...before];
  for (const [type, changes = {}, atSeconds] of entries) {
    const { by: actor, details } = DEFAULTS[type];
    const last = log.at(-1);
    const next = last ? (Date.parse(last.at) - EPOCH_MS) / 1000 + 1 : 0;
    const at = iso(atSeconds ?? next);
    log.push(following(log, { experimentId, type, actor, details: { ...details, ...changes }, at }));
  }
  return log;
}

/** One entry, the first of its log. */
export function entry<T extends EntryType>(type: T, changes: Changes<EntryDetails[T]> = {}) {
  const { by: actor, details, second } = DEFAULTS[type];
  const { experimentId } = seedExperiment();
  const made = following([], { experimentId, type, actor, details: { ...details, ...changes }, at: iso(second) });
  if (!isEntryOf(made, type)) throw new Error(`${made.type} is not ${type}`);
  return made;
}

export type RunChanges = { [T in EntryType]?: Changes<EntryDetails[T]> | undefined };

/** The entries of a run that went as planned; each can be changed or, with `undefined`, left out, and others added. */
export function fullRun(changes: RunChanges = {}): AuditEntry[] {
  const { experimentId } = changes.ADMITTED?.experiment ?? seedExperiment();
  const log: AuditEntry[] = [];
  for (const type of ENTRY_TYPES) {
    if (!(type in changes ? changes[type] : PLANNED.includes(type))) continue;
    const { by: actor, details, second } = DEFAULTS[type];
    const content = { experimentId, type, actor, details: { ...details, ...changes[type] }, at: iso(second) };
    log.push(following(log, content));
  }
  return log;
}

/** The same up to and with the first entry of that type. */
export function runUntil(type: EntryType, changes: RunChanges = {}): AuditEntry[] {
  const entries = fullRun(changes);
  return entries.slice(0, entries.findIndex((candidate) => candidate.type === type) + 1);
}
