import * as z from 'zod';

/** Of a cluster in the configuration: another person has to approve what one wants to start there. */
export const approvalSchema = z.strictObject({
  /** How long a request waits for its approval; then it is over. */
  expiresMinutes: z
    .int()
    .min(1)
    .max(7 * 24 * 60),
});
