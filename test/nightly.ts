import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { nightlyOf, renderNightly, withNightly } from '../bench/nightly.ts';

/** `npm run test:nightly`: the nightly tiers, and what came of them in docs/benchmarks.md. */
const CHECKOUT = new URL('..', import.meta.url).pathname;
const DOCUMENT = join(CHECKOUT, 'docs/benchmarks.md');
const commit = readCommit();

const directory = mkdtempSync(join(tmpdir(), 'holdfast-nightly-'));
const record = join(directory, 'record');
const run = spawnSync(process.execPath, ['test/run.ts', 'nightly', '--record', record], {
  cwd: CHECKOUT,
  stdio: 'inherit',
});
const { seconds, results } = JSON.parse(readFileSync(record, 'utf8'));
rmSync(directory, { recursive: true, force: true });
const section = renderNightly({
  machine: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 1e9)} GB, Linux ${release()}`,
  date: new Date().toISOString().slice(0, 10),
  commit,
  seconds,
  tiers: results,
});
const before = readFileSync(DOCUMENT, 'utf8');
writeFileSync(DOCUMENT, withNightly(before.replace(nightlyOf(before), ''), section));
process.exitCode = run.status ?? 1;

function readCommit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { cwd: CHECKOUT, encoding: 'utf8' }).trim();
  } catch {
    return 'unknown (no git checkout)';
  }
}
