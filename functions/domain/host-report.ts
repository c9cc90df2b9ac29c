import * as z from 'zod';
import { cut, firstLines, MAX_NOTE_CHARACTERS, MAX_NOTES, MAX_WORD_CHARACTERS } from './limits.ts';
import type { HostRemarks } from './workflow.ts';

/**
 * The one JSON line that the host program prints; see docs/contracts.md. Fields it has no value for may be null. What a
 * host of another version says beside the state, or in its place, makes no report unreadable: a part that cannot be read
 * is absent, and who needs it to believe something does not believe it.
 */
const bounded = z.string().transform((text) => cut(text, MAX_WORD_CHARACTERS));
const word = bounded.nullish().catch(undefined);
const text = z.string().nullish().catch(undefined);
/** Nothing in it is dropped: what is no line is shown as JSON, so that no leftover is taken for clean. */
const lines = z.preprocess(linesOf, z.array(z.string()).nullish());

const effect = z.object({ measure: bounded, value: z.number(), unit: bounded, observedAt: bounded });
/** That it cannot be read is no sign that clients were kept away. */
const UNREADABLE_FENCE = { outcome: 'UNREADABLE' };

const hostReportSchema = z.object({
  faultId: text,
  instanceId: text,
  /**
   * `ARMING`, `APPLIED`, `REFUSED`, `REVERTED`, `REVERTING`, `NOTHING_TO_REVERT` or `FAILED`; another one proves nothing.
   */
  state: bounded,
  reason: text,
  appliedAt: word,
  liftedAt: word,
  revertReason: word,
  effectLostAt: word,
  fence: z.object({ outcome: bounded, raisedAt: word, loweredAt: word }).nullish().catch(UNREADABLE_FENCE),
  leftovers: lines,
  changes: lines,
  effect: effect.nullish().catch(undefined),
  notes: lines.transform((notes) => notes && keptNotes(notes)).optional(),
  /** The answer to the verb `start`: was the store down, so that its unit was started? */
  started: z.boolean().nullish().catch(undefined),
  /** Of the run of the host's kernel: another one after a restart, which no fault survives. */
  bootId: word,
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

/** What the log keeps of it, be it the answer to an injection or to a rollback. */
export function remarksOf(report: Pick<HostReport, 'effect' | 'notes'> | undefined): HostRemarks {
  return {
    ...(report?.effect ? { effect: report.effect } : {}),
    ...(report?.notes?.length ? { notes: report.notes } : {}),
  };
}

/** Where some are left out the last one is not: it says why an effect was lost. */
function keptNotes(notes: readonly string[]): string[] {
  const most = notes.length > MAX_NOTES ? [...notes.slice(-1), ...notes.slice(0, -1)] : notes;
  return firstLines(most, MAX_NOTES, MAX_NOTE_CHARACTERS);
}

function linesOf(value: unknown): string[] | undefined {
  if (value === undefined || value === null) return undefined;
  const lines = Array.isArray(value) ? value : [value];
  return lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
}
