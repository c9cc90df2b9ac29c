import { readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { Tier } from '../tiers.ts';
import { end, inDeclared, text } from './declared.ts';
import type { Preparation } from './preparation.ts';
import type { FileResult, Result } from './result.ts';

/** Of a failure, repeated at the end of a run; all of it stands where it happened. */
const FAILURE_LINES = 12;

interface Surroundings {
  /** For reports. */
  directory: string;
  preparation: Preparation;
  /** Others run at the same time: what it says is shown when it has ended. */
  isQuiet: boolean;
}

/** @param files of the tier; all of them when there are none. */
export async function runTier(
  tier: Tier,
  { directory, preparation, isQuiet }: Surroundings,
  files: readonly string[] = [],
): Promise<Result> {
  const { name, quotaSeconds } = tier;
  const result = { tier: name, passed: 0, failed: 0, skipped: 0, seconds: 0, quotaSeconds };
  const notRun = obstacle(tier);
  if (notRun) return { ...result, notRun };
  const problem = await preparation.await(name);
  if (problem !== undefined) {
    process.stdout.write(`\n── ${name}\n${problem}\n`);
    return { ...result, failed: 1 };
  }
  const startedMs = performance.now();
  const report = join(directory, `${name}.json`);
  const extra = tier.vitest ? ['--reporter=default', '--reporter=json', `--outputFile=${report}`] : [];
  const environment = { ...preparation.environment(name), ...tier.environment };
  if (!isQuiet) process.stdout.write(`\n── ${name}\n`);
  const child = inDeclared(
    'lab,test,uml',
    [...tier.command, ...files, ...extra],
    isQuiet ? 'pipe' : 'inherit',
    environment,
  );
  const [code, said] = await Promise.all([end(child), isQuiet ? text(child) : '']);
  if (isQuiet) process.stdout.write(`\n── ${name}\n${said}`);
  const seconds = (performance.now() - startedMs) / 1000;
  await preparation.release(name);
  if (!tier.vitest) return { ...result, passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, seconds };
  const counts = readReport(report);
  rmSync(report, { force: true });
  // A crash of the runner itself is a failure although no test says so, and so are no tests at all.
  const failed = (code !== 0 || counts.passed === 0) && counts.failed === 0 ? 1 : counts.failed;
  return { ...result, ...counts, failed, seconds };
}

/** Why the machine cannot run a tier, or undefined if it can. */
function obstacle(tier: Tier): string | undefined {
  if (!tier.needsRoot) return undefined;
  if (process.platform !== 'linux') return `needs Linux (network namespaces), this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'needs root (network namespaces, iptables); run `sudo npm test`';
  return undefined;
}

/** The part of vitest's JSON report that is used here. */
interface Report {
  numPassedTests?: number;
  numFailedTests?: number;
  numPendingTests?: number;
  numTodoTests?: number;
  testResults?: {
    name: string;
    status: string;
    message?: string;
    assertionResults: { fullName: string; status: string; failureMessages?: string[] }[];
  }[];
}

function readReport(path: string): Pick<Result, 'passed' | 'failed' | 'skipped' | 'failures' | 'failedFiles'> {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8')) as Report;
    return {
      passed: report.numPassedTests ?? 0,
      failed: report.numFailedTests ?? 0,
      skipped: (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0),
      failures: failuresOf(report),
      failedFiles: failedFilesOf(report),
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0, failures: ['there is no report of it that can be read'] };
  }
}

function failedFilesOf({ testResults = [] }: Report): FileResult[] {
  return testResults
    .filter(({ status }) => status === 'failed')
    .map(({ name, assertionResults }) => ({
      file: relative(process.cwd(), name),
      passed: assertionResults.filter(({ status }) => status === 'passed').length,
      skipped: assertionResults.filter(({ status }) => !['passed', 'failed'].includes(status)).length,
    }));
}

function failuresOf({ testResults = [] }: Report): string[] {
  return testResults.flatMap((file) => {
    const failed = file.assertionResults.filter(({ status }) => status === 'failed');
    const lines = failed.map(
      ({ fullName, failureMessages = [] }) => `${fullName}\n${indented(failureMessages.join('\n'))}`,
    );
    // A file that fails outside its tests, in a set-up for instance, has a message of its own.
    if (file.status === 'failed' && lines.length === 0) lines.push(`a set-up\n${indented(file.message ?? '')}`);
    return lines.map((line) => `${relative(process.cwd(), file.name)} › ${line}`);
  });
}

function indented(message: string): string {
  const ours = stripVTControlCharacters(message)
    .split('\n')
    .filter((line) => !line.includes('/node_modules/'));
  const lines = ours.slice(0, FAILURE_LINES);
  return lines.map((line) => `    ${line}`).join('\n');
}
