import * as z from 'zod';

/** The one JSON line that the host program prints; see docs/contracts.md. Fields it has no value for may be null. */
const text = z.string().nullish();
const hostReportSchema = z.object({
  faultId: text,
  instanceId: text,
  state: z.enum(['ARMING', 'APPLIED', 'REFUSED', 'REVERTED', 'REVERTING', 'NOTHING_TO_REVERT', 'FAILED']),
  reason: text,
  appliedAt: text,
  liftedAt: text,
  revertReason: text,
  fence: z
    .object({ outcome: z.enum(['NONE', 'SETTLED', 'DEADLINE', 'FAILED']), raisedAt: text, loweredAt: text })
    .nullish(),
  leftovers: z.array(z.string()).nullish(),
  changes: z.array(z.string()).nullish(),
  /** Of the run of the host's kernel: another one after a restart, which no fault survives. */
  bootId: text,
});
export type HostReport = z.infer<typeof hostReportSchema>;

/**
 * The last line of the output that is a report.
 * @returns undefined when there is none: then nobody knows what the host did.
 */
export function parseHostReport(output: string): HostReport | undefined {
  for (const line of output.split('\n').reverse()) {
    if (!line.trimStart().startsWith('{')) continue;
    try {
      const report = hostReportSchema.safeParse(JSON.parse(line));
      if (report.success) return report.data;
    } catch {
      // Not JSON after all: an earlier line may be.
    }
  }
  return undefined;
}
