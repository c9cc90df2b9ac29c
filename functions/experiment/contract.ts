import { z } from 'zod';
import type { AlertSeverity } from './experiment.ts';
import { FAULT_KINDS, type FaultKind } from './faults.ts';

/** The body of `POST /api/v1/chaos/experiments`; its names are part of the contract and never change. */
export const MAX_BODY_BYTES = 64 * 1024;
export const MAX_DURATION_SECONDS = 600;
export const MAX_NODES = 100;
/** The lease table's row of the kill switch: an experiment of that name would be the kill switch. */
export const RESERVED_EXPERIMENT_IDS: readonly string[] = ['GLOBAL'];

export const ALERT_SEVERITIES = ['NONE', 'INFO', 'WARNING', 'CRITICAL'] as const satisfies readonly AlertSeverity[];

const experimentId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,50}$/, 'is not a valid id')
  .refine((id) => !RESERVED_EXPERIMENT_IDS.includes(id), 'is a reserved id');
const nodeName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'is not a node name');
const nodeNames = z
  .array(nodeName)
  .min(1, 'is empty')
  .max(MAX_NODES, `has more than ${MAX_NODES} nodes`)
  .refine((names) => new Set(names).size === names.length, 'names a node twice');

export const requestSchema = z.strictObject({
  experimentId,
  targetService: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'is not a cluster name'),
  action: z.enum(FAULT_KINDS),
  parameters: z.looseObject({}),
  durationSeconds: z.int().min(1).max(MAX_DURATION_SECONDS),
  safetyThreshold: z.strictObject({
    maxAlertSeverity: z.enum(ALERT_SEVERITIES),
    automaticRollbackOnAlert: z.boolean(),
  }),
});

const partition = z
  .strictObject({
    latencyMs: z.literal(0).default(0),
    packetLossPct: z.int().min(1).max(100),
    targetPartitionGroupA: nodeNames,
    targetPartitionGroupB: nodeNames,
    scope: z.enum(['isolate', 'peers']).default('isolate'),
  })
  .refine(({ targetPartitionGroupA: a, targetPartitionGroupB: b }) => !a.some((name) => b.includes(name)), {
    path: ['targetPartitionGroupB'],
    message: 'names a node that is in group A',
    // Also when another field is wrong, so that one answer names everything.
    when: ({ value }) => hasGroups(value),
  });

const kill = z.strictObject({
  targetNodes: nodeNames,
  signal: z.enum(['KILL', 'TERM']).default('KILL'),
  restart: z.enum(['rollback', 'supervisor']).default('rollback'),
});

const pause = z.strictObject({ targetNodes: nodeNames });

/** What `parameters` may hold for each action. */
export const parameterSchemas = {
  NETWORK_PARTITION: partition,
  PROCESS_KILL: kill,
  PROCESS_PAUSE: pause,
} as const satisfies Record<FaultKind, z.ZodType>;

const NODE_LIST = `1-${MAX_NODES} different node names`;

/** What a field may hold, in words for a person. */
export const ALLOWED: Record<string, string> = {
  experimentId: `1-50 letters, digits, "_" and "-"; not ${RESERVED_EXPERIMENT_IDS.join(', ')}`,
  targetService: 'the name of a configured cluster',
  action: FAULT_KINDS.join(', '),
  parameters: 'an object',
  'parameters.latencyMs': '0: a partition delays nothing',
  'parameters.packetLossPct': 'a whole number from 1 to 100',
  'parameters.targetPartitionGroupA': NODE_LIST,
  'parameters.targetPartitionGroupB': `${NODE_LIST}, none of them in group A`,
  'parameters.scope': 'isolate, peers',
  'parameters.targetNodes': NODE_LIST,
  'parameters.signal': 'KILL, TERM',
  'parameters.restart': 'rollback, supervisor',
  durationSeconds: `a whole number from 1 to ${MAX_DURATION_SECONDS}`,
  safetyThreshold: 'an object with maxAlertSeverity and automaticRollbackOnAlert',
  'safetyThreshold.maxAlertSeverity': ALERT_SEVERITIES.join(', '),
  'safetyThreshold.automaticRollbackOnAlert': 'true, false',
};

function hasGroups(value: unknown): boolean {
  const groups = value as { targetPartitionGroupA?: unknown; targetPartitionGroupB?: unknown } | undefined;
  return Array.isArray(groups?.targetPartitionGroupA) && Array.isArray(groups?.targetPartitionGroupB);
}
