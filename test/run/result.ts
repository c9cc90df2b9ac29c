/** What became of one tier. */
export interface Result {
  tier: string;
  passed: number;
  failed: number;
  skipped: number;
  seconds: number;
  quotaSeconds: number;
  /** Why the machine cannot run it. */
  notRun?: string;
  /** The tests that failed, each with the first lines of what it said. */
  failures?: readonly string[];
  /** The files that they are in. */
  failedFiles?: readonly FileResult[];
  /** What failed at first, in files that passed when nothing ran beside them. */
  unsteady?: readonly string[];
}

export interface FileResult {
  file: string;
  passed: number;
  skipped: number;
}

/** A machine may be busy with others' work for a moment, not in so many places. */
const MAX_UNSTEADY_FILES = 3;

/** The files of a tier of real things that are worth a second attempt with nothing beside them; none where they are too many. */
export function triedAgain({ failed, failedFiles = [] }: Result): readonly string[] {
  if (failed === 0 || failedFiles.length > MAX_UNSTEADY_FILES) return [];
  return failedFiles.map(({ file }) => file);
}

/** A tier after the second attempt of all its failed files. What failed before stays on record, as unsteady. */
export function afterSecond(first: Result, second: Result): Result {
  const { failedFiles = [], failures = [] } = first;
  // A crash of the runner says nothing about any of them.
  if (second.failed > 0 && !second.failedFiles?.length)
    return { ...first, failures: [...failures, ...(second.failures ?? [])] };
  const others = (pick: (of: Result | FileResult) => number) => pick(first) - sum(failedFiles, pick) + pick(second);
  const { failed, failures: still = [], failedFiles: stillIn = [] } = second;
  const again = new Set(stillIn.map(({ file }) => file));
  const unsteady = failures.filter((failure) => ![...again].some((file) => failure.startsWith(`${file} › `)));
  return {
    ...first,
    ...{ passed: others(({ passed }) => passed), failed, skipped: others(({ skipped }) => skipped) },
    seconds: first.seconds + second.seconds,
    ...{ failures: still, failedFiles: stillIn, unsteady },
  };
}

export function tableRow(result: Result): string {
  const { tier, passed, failed, skipped, seconds, quotaSeconds, notRun } = result;
  if (notRun) return `${tier.padEnd(20)} NOT RUN: ${notRun}`;
  const quota = Number.isFinite(quotaSeconds) ? ` of ${quotaSeconds} s` : ' s';
  const state = failed === 0 ? 'passed' : 'FAILED';
  return `${tier.padEnd(20)} ${state}  ${passed} passed, ${failed} failed, ${skipped} skipped, ${seconds.toFixed(0)}${quota}`;
}

/** What to say about a tier that took too long, or undefined. */
export function overQuota({ tier, seconds, quotaSeconds }: Result): string | undefined {
  if (seconds <= quotaSeconds) return undefined;
  const took = `${tier} took ${seconds.toFixed(0)} s, and its quota in test/tiers.ts is ${quotaSeconds} s`;
  return `${took}: make it faster, or move what it need not do at every change to the exhaustive tests`;
}

function sum<Of>(results: readonly Of[], pick: (result: Of) => number): number {
  return results.reduce((total, result) => total + pick(result), 0);
}

/** Failures; in CI what was not run or was skipped is one too. A slow tier is not: the machine may be busy with others' work. */
export function unacceptable(results: readonly Result[], isCi = process.env.CI === 'true'): number {
  const failed = sum(results, (result) => result.failed);
  if (!isCi) return failed;
  const notRun = results.filter((result) => result.notRun).length;
  return failed + notRun + sum(results, (result) => result.skipped);
}

/** Each test that failed, after everything else: whoever has only the end of the output must still see what to mend. */
export function failureLines(results: readonly Result[]): string[] {
  return results.flatMap(({ tier, failures = [], unsteady = [] }) => [
    ...unsteady.map((failure) => `UNSTEADY ${tier}, passed at the second attempt: ${failure}`),
    ...failures.map((failure) => `FAILED ${tier}: ${failure}`),
  ]);
}

export function closingLine(results: readonly Result[], isCi = process.env.CI === 'true'): string {
  const passed = sum(results, (result) => result.passed);
  const skipped = sum(results, (result) => result.skipped);
  const unsteady = sum(results, (result) => result.unsteady?.length ?? 0);
  const counts = `${passed} passed, ${unacceptable(results, isCi)} failed, ${skipped} skipped`;
  return unsteady === 0 ? counts : `${counts}; ${unsteady} of the passed at the second attempt only`;
}
