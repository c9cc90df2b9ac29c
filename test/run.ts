import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * `npm test`: every tier in order, cheapest first. A tier that this machine cannot run is named with its reason at the
 * end, and with CI=true that fails the run: a promise that was not tested is not kept.
 */
interface Tier {
  name: string;
  command: string[];
  /** Vitest tiers are counted test by test. */
  vitest?: true;
  needsRoot?: true;
}

const TIERS: Tier[] = [
  { name: 'types', command: ['tsc', '--noEmit', '-p', '.'] },
  { name: 'lint', command: ['biome', 'check', '.'] },
  {
    name: 'shell lint',
    command: ['sh', '-c', 'shellcheck -x lab/*.sh test/*.sh test/guest/machine/*.sh host/*.sh host/faults/*.sh'],
  },
  {
    name: 'dependency rules',
    command: ['sh', 'test/dependency-rules.sh', 'bin', 'lib', 'functions', 'lab', 'test', 'bench'],
  },
  { name: 'unused code', command: ['knip'] },
  { name: 'unit', command: ['vitest', 'run', '--project', 'unit'], vitest: true },
  { name: 'host', command: ['vitest', 'run', '--project', 'host'], vitest: true, needsRoot: true },
  { name: 'guest', command: ['vitest', 'run', '--project', 'guest'], vitest: true, needsRoot: true },
  { name: 'lab', command: ['vitest', 'run', '--project', 'lab'], vitest: true, needsRoot: true },
  { name: 'system', command: ['vitest', 'run', '--project', 'system'], vitest: true, needsRoot: true },
];

interface Result {
  tier: string;
  passed: number;
  failed: number;
  skipped: number;
  seconds: number;
  notRun?: string;
}

/** Why the machine cannot run a tier, or undefined if it can. */
function obstacle(tier: Tier): string | undefined {
  if (!tier.needsRoot) return undefined;
  if (process.platform !== 'linux') return `needs Linux (network namespaces), this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'needs root (network namespaces, iptables); run `sudo npm test`';
  return undefined;
}

function run(command: string[]): Promise<number> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

async function runTier(tier: Tier, directory: string): Promise<Result> {
  const reason = obstacle(tier);
  const empty = { tier: tier.name, passed: 0, failed: 0, skipped: 0, seconds: 0 };
  if (reason) return { ...empty, notRun: reason };
  process.stdout.write(`\n── ${tier.name}\n`);
  const startedMs = performance.now();
  const report = join(directory, 'report.json');
  const extra = tier.vitest ? ['--reporter=default', '--reporter=json', `--outputFile=${report}`] : [];
  const code = await run([...tier.command, ...extra]);
  const seconds = (performance.now() - startedMs) / 1000;
  if (!tier.vitest) return { ...empty, passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, seconds };
  const counts = readCounts(report);
  rmSync(report, { force: true });
  // A crash of the runner itself is a failure although no test says so.
  const failed = code !== 0 && counts.failed === 0 ? 1 : counts.failed;
  return { ...empty, ...counts, failed: counts.passed === 0 ? Math.max(failed, 1) : failed, seconds };
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

const directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
const results: Result[] = [];
for (const tier of TIERS) results.push(await runTier(tier, directory));
rmSync(directory, { recursive: true, force: true });

process.stdout.write('\n');
for (const result of results) {
  const state = result.notRun
    ? `NOT RUN: ${result.notRun}`
    : `${result.failed === 0 ? 'passed' : 'FAILED'}  ${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped, ${result.seconds.toFixed(1)} s`;
  process.stdout.write(`${result.tier.padEnd(18)} ${state}\n`);
}
const total = (pick: (result: Result) => number) => results.reduce((sum, result) => sum + pick(result), 0);
const notRun = results.filter((result) => result.notRun).length;
// A test that did not run keeps no promise, whether its tier or its author left it out.
const unacceptable = process.env.CI === 'true' ? notRun + total((result) => result.skipped) : 0;
process.stdout.write(
  `${total((r) => r.passed)} passed, ${total((r) => r.failed) + unacceptable} failed, ${total((r) => r.skipped)} skipped\n`,
);
process.exitCode = total((r) => r.failed) + unacceptable === 0 ? 0 : 1;
