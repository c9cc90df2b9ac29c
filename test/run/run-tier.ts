import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Tier } from '../tiers.ts';
import { end, inDeclared, text } from './declared.ts';
import type { Preparation } from './preparation.ts';
import type { Result } from './result.ts';

interface Surroundings {
  /** For reports. */
  directory: string;
  preparation: Preparation;
  /** Others run at the same time: what it says is shown when it has ended. */
  isQuiet: boolean;
}

export async function runTier(tier: Tier, { directory, preparation, isQuiet }: Surroundings): Promise<Result> {
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
  const child = inDeclared('lab,test,uml', [...tier.command, ...extra], isQuiet ? 'pipe' : 'inherit', environment);
  const [code, said] = await Promise.all([end(child), isQuiet ? text(child) : '']);
  if (isQuiet) process.stdout.write(`\n── ${name}\n${said}`);
  const seconds = (performance.now() - startedMs) / 1000;
  await preparation.release(name);
  if (!tier.vitest) return { ...result, passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, seconds };
  const counts = readCounts(report);
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

function readCounts(report: string): { passed: number; failed: number; skipped: number } {
  try {
    const json = JSON.parse(readFileSync(report, 'utf8')) as Record<string, number>;
    return {
      passed: json.numPassedTests ?? 0,
      failed: json.numFailedTests ?? 0,
      skipped: (json.numPendingTests ?? 0) + (json.numTodoTests ?? 0),
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
