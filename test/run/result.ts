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

function sum(results: readonly Result[], pick: (result: Result) => number): number {
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
  return results.flatMap(({ tier, failures = [] }) => failures.map((failure) => `FAILED ${tier}: ${failure}`));
}

export function closingLine(results: readonly Result[], isCi = process.env.CI === 'true'): string {
  const passed = sum(results, (result) => result.passed);
  const skipped = sum(results, (result) => result.skipped);
  return `${passed} passed, ${unacceptable(results, isCi)} failed, ${skipped} skipped`;
}
