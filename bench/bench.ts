import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createApiClient } from '../cli/api-client.ts';
import { labDirectory } from '../lab/runtime/directory.ts';
import { connectionOf, readLab } from '../lab/runtime/lab-file.ts';
import { findSupervisor, startLab, stopLab } from '../lab/runtime/lifecycle.ts';
import { CHECKOUT, LAB_FILES } from '../lab/shared/files.ts';
import { CANARY_SHARD } from '../lab/traffic/routing.ts';
import { readBundleSizes } from './bundles.ts';
import { readProcesses, readUsage } from './lab-control.ts';
import { measureAbort, measureGuardLost, measureTtl, type TtlRun } from './measurements.ts';
import { type CostLine, costOf, usageBetween } from './prices.ts';
import { readProvenance } from './provenance.ts';
import { type Measurement, renderReport } from './report.ts';
import { type Bench, withPartitionedMaster } from './scenario.ts';
import { sectionsOf, withSections } from './sections.ts';

/**
 * `npm run bench -- [--repetitions 3] [--aborts 3]`: measures a running lab, or one of its own, and writes
 * docs/benchmarks.md.
 */
const { values } = parseArgs({
  options: { repetitions: { type: 'string', default: '3' }, aborts: { type: 'string', default: '3' } },
});
const repetitions = countOf('repetitions', values.repetitions);
const abortRuns = countOf('aborts', values.aborts);

function countOf(option: string, text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 100) {
    throw new Error(`--${option}: ${text} is not a whole number from 1 to 100`);
  }
  return count;
}

const provenance = readProvenance();
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const directory = labDirectory();
const failures: string[] = [];

/** Repeats a measurement; one that fails is reported and not counted as anything. */
async function repeat<T>(name: string, times: number, measure: (repetition: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let repetition = 0; repetition < times; repetition += 1) {
    try {
      results.push(await measure(repetition));
      say(`${name} ${repetition + 1}/${times}: ${JSON.stringify(results.at(-1))}`);
    } catch (error) {
      failures.push(`${name} ${repetition + 1}/${times}: ${error instanceof Error ? error.message : String(error)}`);
      say(failures.at(-1) ?? '');
    }
  }
  return results;
}

async function measureCost(bench: Bench): Promise<CostLine[]> {
  const before = await readUsage(bench.lab.controlSocket);
  await withPartitionedMaster(bench, CANARY_SHARD, 60, async () => undefined);
  return costOf(usageBetween(before, await readUsage(bench.lab.controlSocket)));
}

function ttlMeasurements(runs: TtlRun[]): Measurement[] {
  const of = (select: (run: TtlRun) => number) => runs.map(select);
  return [
    { name: 'POST → fault active', unit: 's', values: of((run) => run.postToActiveSeconds) },
    { name: 'TTL → fault lifted (peers)', unit: 's', values: of((run) => run.overshootSeconds), promised: '≤ 1' },
    { name: 'watchdog CPU', unit: '% of a core', values: of((run) => run.watchdogCpuPct), promised: '≤ 0.5' },
    {
      name: 'watchdog memory (both processes, shared with nobody)',
      unit: 'MB',
      values: of((run) => run.watchdogMegabytes),
      promised: '≤ 20',
    },
  ];
}

async function measure(bench: Bench): Promise<string> {
  const initMs = (await readProcesses(bench.lab.controlSocket)).map((process) => process.initMs);
  const ttlRuns = await repeat('undisturbed run', repetitions, () => measureTtl(bench));
  const aborts = await repeat('first bad scrape → fault lifted', abortRuns, (n) => measureAbort(bench, n));
  const guardDeaths = await repeat('guard killed → fault lifted', repetitions, () =>
    measureGuardLost(bench, 'SIGKILL'),
  );
  const guardHangs = await repeat('guard hangs → fault lifted', repetitions, () => measureGuardLost(bench, 'SIGSTOP'));
  const [cost = []] = await repeat('cost of a run of 60 s', 1, () => measureCost(bench));
  return renderReport({
    ...provenance,
    measurements: [
      ...ttlMeasurements(ttlRuns),
      {
        name: 'first bad scrape → fault lifted (peers)',
        unit: 's',
        values: aborts.map((run) => run.badScrapeToLiftedSeconds),
        promised: '≤ 2',
      },
      { name: 'cut → fault lifted (peers)', unit: 's', values: aborts.map((run) => run.cutToLiftedSeconds) },
      {
        name: 'failed requests of an aborted run',
        unit: '',
        values: aborts.map((run) => run.failedRequests),
        promised: 'p50 ≤ 450',
      },
      {
        name: 'cut → last failed request of an aborted run',
        unit: 's',
        values: aborts.map((run) => run.cutToLastErrorSeconds),
      },
      { name: 'guard killed → fault lifted (peers)', unit: 's', values: guardDeaths, promised: '≤ 4' },
      { name: 'guard hangs → fault lifted by its lease', unit: 's', values: guardHangs, promised: '≤ 4' },
      { name: 'function initialization', unit: 'ms', values: initMs.filter((value) => value !== undefined) },
    ],
    bundles: readBundleSizes(join(directory, LAB_FILES.cdkOut)),
    cost,
    failures,
  });
}

const isOurs = findSupervisor(directory) === undefined;
if (isOurs) await startLab({ directory, scope: 'all', endsWithParent: true, onProgress: say });
try {
  const lab = readLab(directory);
  const client = createApiClient(connectionOf(lab));
  const report = await measure({ lab, client });
  client.close();
  const file = join(CHECKOUT, 'docs/benchmarks.md');
  writeFileSync(file, withSections(report, sectionsOf(readFileSync(file, 'utf8'))));
  process.stdout.write(report);
} finally {
  if (isOurs) await stopLab(directory);
}
process.exitCode = failures.length > 0 ? 1 : 0;
