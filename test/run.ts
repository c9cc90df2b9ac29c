import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Preparation } from './run/preparation.ts';
import { closingLine, failureLines, overQuota, type Result, tableRow, unacceptable } from './run/result.ts';
import { runTier } from './run/run-tier.ts';
import { RUNS, type Run } from './tiers.ts';

/**
 * `run.ts [change|exhaustive|nightly] [--record FILE]`: the tiers of test/tiers.ts, cheapest first. A tier that this machine
 * cannot run is named with its reason at the end, and with CI=true that fails the run, as a skipped test does: a promise that was
 * not tested is not kept.
 */
const [name = 'change', option, recordFile] = process.argv.slice(2);
const run = RUNS[name]?.();
if (!run || (option !== undefined && (option !== '--record' || !recordFile)))
  throw new Error(`usage: run.ts [${Object.keys(RUNS).join('|')}] [--record FILE]`);

const directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
const preparation = new Preparation();
const startedMs = performance.now();
const results = await runStages(run);
await preparation.stopAll();
rmSync(directory, { recursive: true, force: true });
report(results);

async function runStages(stages: Run): Promise<Result[]> {
  const all: Result[] = [];
  for (const { prepares = [], chains } of stages) {
    for (const what of prepares) preparation.start(what);
    const running = chains.map(async (chain) => {
      const ofChain: Result[] = [];
      for (const tier of chain)
        ofChain.push(await runTier(tier, { directory, preparation, isQuiet: chains.length > 1 }));
      return ofChain;
    });
    all.push(...(await Promise.all(running)).flat());
  }
  return all;
}

function report(all: Result[]): void {
  const seconds = (performance.now() - startedMs) / 1000;
  const rows = all.map(tableRow);
  const slow = all.flatMap((result) => overQuota(result) ?? []);
  const lines = [...rows, `${'all'.padEnd(20)} ${seconds.toFixed(0)} s`, ...slow];
  process.stdout.write(`\n${[...lines, ...failureLines(all), closingLine(all)].join('\n')}\n`);
  if (recordFile) appendFileSync(recordFile, `${JSON.stringify({ name, seconds, results: all })}\n`);
  process.exitCode = unacceptable(all) === 0 ? 0 : 1;
}
