/**
 * Step Functions carries 262,144 bytes from state to state; more ends the execution past every catcher. DynamoDB keeps
 * 409,600 bytes an item. What grows with nodes is refused at admission beyond these, so that there is room for what is
 * added later (a third as much for the rollback of those nodes, and errors of some kilobytes).
 */
/** Experiment and targets, as the state machine carries them. */
export const MAX_RUN_BYTES = 150_000;
/** Details of one entry of the audit log. */
export const MAX_ENTRY_BYTES = 300_000;
/**
 * Shards whose latencies are kept second by second: up to three times 130 kB each for the longest run, and the answer of the API has the
 * whole log in the 6 MB that a Lambda may answer. Those of the others are in the summary.
 */
export const MAX_SHARDS_OF_LATENCIES = 8;
/** A refusal, in the answer and in the log: it may speak of every field of a body, and of every node of a fleet. */
export const MAX_PROBLEM_BYTES = 30_000;
/** Text of an error or of a verdict: one that joins what many nodes say is as long as they are many. */
export const MAX_REASON_CHARACTERS = 4000;
/** Lines about nodes in one part of the run. */
export const MAX_LINES = 50;
export const MAX_LINE_CHARACTERS = 200;
/** Of what a host says beside the state of a fault: each name, time and unit, and its notes. */
export const MAX_WORD_CHARACTERS = 40;
export const MAX_NOTES = 3;
export const MAX_NOTE_CHARACTERS = 120;

/** As JSON in UTF-8: how both services count. */
export function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** The first lines, each cut to so many characters, and how many more there were. */
export function firstLines(lines: readonly string[], most: number, maxCharacters: number): string[] {
  const shown = lines.slice(0, most).map((line) => cut(line, maxCharacters));
  return lines.length > most ? [...shown, `and ${lines.length - most} more`] : shown;
}

export function cut(text: string, maxCharacters: number): string {
  return text.length > maxCharacters ? `${text.slice(0, maxCharacters - 1)}…` : text;
}
