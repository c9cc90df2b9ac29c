import * as z from 'zod';
import { type AlertSeverity, PROBE_CHOICES } from './experiment.ts';
import { FAULT_KINDS } from './faults/catalogue.ts';
import { expectedAlertsSchema, HYPOTHESIS_ALLOWED, hypothesisSchema, steadyStateSchema } from './hypothesis.ts';
import { KILL_SWITCH_ID, ROLLBACK_EXECUTION_NAME } from './names.ts';
import { probeChoicesSchema } from './probe-choices.ts';
import { TTL_SECONDS } from './timing.ts';

/** The body of `POST /api/v1/chaos/experiments`; its names are part of the contract and never change. */
export const MAX_BODY_BYTES = 64 * 1024;
export const MAX_FAULTS = 10;
/** An experiment of that id would be the kill switch. */
export const RESERVED_EXPERIMENT_IDS: readonly string[] = [KILL_SWITCH_ID];

export const ALERT_SEVERITIES = ['NONE', 'INFO', 'WARNING', 'CRITICAL'] as const satisfies readonly AlertSeverity[];

const MAX_SCHEMA_CHARACTERS = 500;
const NAME = /^[A-Za-z0-9_-]{1,50}$/;
const experimentId = z
  .string()
  .regex(NAME, 'is not a valid id')
  .refine((id) => !RESERVED_EXPERIMENT_IDS.includes(id) && !ROLLBACK_EXECUTION_NAME.test(id), 'is a reserved id');

/** Whether an experiment can have that id. */
export function isExperimentId(text: string): boolean {
  return experimentId.safeParse(text).success;
}

const experiment = {
  /** For editors; the API does not look at it. */
  $schema: z.string().max(MAX_SCHEMA_CHARACTERS).exactOptional(),
  experimentId,
  durationSeconds: z.int().min(TTL_SECONDS.min).max(TTL_SECONDS.max),
  safetyThreshold: z.strictObject({
    maxAlertSeverity: z.enum(ALERT_SEVERITIES),
    automaticRollbackOnAlert: z.boolean(),
  }),
  budgets: z.strictObject({ unavailableSeconds: z.number().nonnegative() }).exactOptional(),
  steadyState: steadyStateSchema.exactOptional(),
  hypothesis: hypothesisSchema.exactOptional(),
  expectedAlerts: expectedAlertsSchema.exactOptional(),
  probe: probeChoicesSchema.exactOptional(),
};
const fault = {
  targetService: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'is not a cluster name'),
  action: z.enum(FAULT_KINDS),
  /** The schema of the action says what it may hold. */
  parameters: z.looseObject({}),
};

/** The seed's form: one fault. */
export const oneFaultSchema = z.strictObject({ ...experiment, ...fault });

/** Several faults, in order, under one TTL. */
export const faultListSchema = z.strictObject({
  ...experiment,
  faults: z
    .array(
      z.strictObject({
        ...fault,
        name: z.string().regex(NAME, 'is not a name').optional(),
        after: z.string().optional(),
        offsetSeconds: z
          .int()
          .min(0)
          .max(TTL_SECONDS.max - 1)
          .default(0),
      }),
    )
    .min(1, 'is empty')
    .max(MAX_FAULTS, `has more than ${MAX_FAULTS} faults`),
});

/** What a field may hold, in words for a person; those of a fault are the same in both forms. */
export const ALLOWED: Record<string, string> = {
  $schema: `where the JSON Schema of the file is, at most ${MAX_SCHEMA_CHARACTERS} characters; not looked at`,
  experimentId: `1-50 letters, digits, "_" and "-"; not ${RESERVED_EXPERIMENT_IDS.join(', ')}, and no "-sweep-" with a number at its end`,
  targetService: 'the name of a configured cluster',
  action: FAULT_KINDS.join(', '),
  parameters: 'an object',
  faults: `1-${MAX_FAULTS} faults, instead of targetService, action and parameters`,
  name: '1-50 letters, digits, "_" and "-", another one for each fault; left out: the position, from 1',
  after: 'the name of a fault that stands earlier in the list; left out: the first faults',
  offsetSeconds: `a whole number from 0 to ${TTL_SECONDS.max - 1}, so that the fault starts before durationSeconds`,
  durationSeconds: `a whole number from ${TTL_SECONDS.min} to ${TTL_SECONDS.max}`,
  safetyThreshold: 'an object with maxAlertSeverity and automaticRollbackOnAlert',
  'safetyThreshold.maxAlertSeverity': ALERT_SEVERITIES.join(', '),
  'safetyThreshold.automaticRollbackOnAlert': 'true, false',
  budgets: 'an object with unavailableSeconds; left out: what the clusters allow',
  'budgets.unavailableSeconds': 'a number of seconds, 0 or more, no more than every cluster allows',
  probe: `an object with ${Object.keys(PROBE_CHOICES).join(', ')}; left out, each is the first of what it may be`,
  ...Object.fromEntries(
    Object.entries(PROBE_CHOICES).map(([choice, values]) => [
      `probe.${choice}`,
      `${values.join(', ')}, as text; only for an engine whose probe has that choice`,
    ]),
  ),
  ...HYPOTHESIS_ALLOWED,
};
