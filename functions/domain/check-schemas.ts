import * as z from 'zod';
import { CHECK_STATES, type CheckChange } from './audit-entry.ts';
import { CHECK_TIMES, type Hypothesis, STEADY } from './hypothesis.ts';
import { alarmMeasureSchema, type Measure, measureSchema } from './measures.ts';
import type { CheckObservation, CheckReading, CheckVerdict } from './workflow.ts';

/** What the log says of a hypothesis and of its checks, by which it is read; loose, as all of audit-schemas.ts. */

const text = z.string();
const number = z.number();
const optionalText = text.exactOptional();
const optionalNumber = number.exactOptional();
const object = z.looseObject;

/** Only a payload must not say more than is known. */
const measure = z.union(
  [...measureSchema.options, alarmMeasureSchema].map((option) => option.loose()),
) as z.ZodType<Measure>;
const limits = { atLeast: optionalNumber, atMost: optionalNumber };
const when = z.enum([...CHECK_TIMES, STEADY]);

export const loggedHypothesisSchema: z.ZodType<Hypothesis> = object({
  statement: optionalText,
  baselineSeconds: number,
  checks: z.array(
    object({
      name: text,
      cluster: text,
      measure,
      tolerance: object({ ...limits, unit: text }),
      when,
      withinSeconds: optionalNumber,
    }),
  ),
});

export const checkReadingsSchema: z.ZodType<CheckReading[]> = z.array(
  object({ check: text, value: optionalNumber, held: z.boolean(), reason: optionalText }),
);

export const checkChangeSchema: z.ZodType<CheckChange> = object({
  check: text,
  state: z.enum(CHECK_STATES),
  value: optionalNumber,
});

export const checkObservationSchema: z.ZodType<CheckObservation> = object({
  probed: object({ cluster: text, shard: text, invocation: text }).exactOptional(),
  fromSecond: z.int(),
  series: z.array(
    object({
      check: text,
      values: z.array(number.nullable()),
      gapSeconds: optionalNumber,
      problem: optionalText,
    }),
  ),
});

export const checkVerdictsSchema: z.ZodType<CheckVerdict[]> = z.array(
  object({
    name: text,
    cluster: text,
    measure: text,
    when,
    withinSeconds: optionalNumber,
    tolerance: object(limits),
    unit: text,
    result: z.enum(['HELD', 'FAILED', 'UNKNOWN']),
    measured: optionalNumber,
    failedSeconds: optionalNumber,
    firstFailedAt: optionalText,
    lastFailedAt: optionalText,
    unknownSeconds: optionalNumber,
    heldAfterSeconds: optionalNumber,
    arrivedAt: optionalText,
    reason: optionalText,
  }),
);
