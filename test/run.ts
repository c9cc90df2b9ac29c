import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Preparation } from './run/preparation.ts';
import {
  afterSecond,
  closingLine,
  failureLines,
  overQuota,
  type Result,
  tableRow,
  triedAgain,
  unacceptable,
} from './run/result.ts';
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
const first = await runStages(run);
// The nightly run is there to see how steady they are.
const results = name === 'nightly' ? first : await againAlone(run, first);
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

/** Files that failed where real time passes are tried once more, with nothing beside them. Both answers are shown. */
async function againAlone(stages: Run, all: readonly Result[]): Promise<Result[]> {
  const tiers = stages.flatMap(({ chains }) => chains.flat());
  const final: Result[] = [];
  for (const [index, result] of all.entries()) {
    const tier = tiers[index];
    const files = tier?.needsRoot && tier.vitest ? triedAgain(result) : [];
    if (tier === undefined || files.length === 0) {
      final.push(result);
      continue;
    }
    process.stdout.write(`\n── once more, alone: ${files.join(', ')}\n`);
    const second = await runTier(tier, { directory, preparation, isQuiet: false }, files);
    final.push(afterSecond(result, second));
  }
  return final;
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
