import * as z from 'zod';
import { PROBE_CHOICES } from './experiment.ts';

/** As a payload says it, and as the log keeps it. */
export const probeChoicesSchema = z.strictObject({
  acks: z.enum(PROBE_CHOICES.acks).exactOptional(),
  consistency: z.enum(PROBE_CHOICES.consistency).exactOptional(),
  client: z.enum(PROBE_CHOICES.client).exactOptional(),
  timestamps: z.enum(PROBE_CHOICES.timestamps).exactOptional(),
  waitReplicas: z.enum(PROBE_CHOICES.waitReplicas).exactOptional(),
  follows: z.enum(PROBE_CHOICES.follows).exactOptional(),
});
