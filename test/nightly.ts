import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readProvenance } from '../bench/provenance.ts';
import { renderNightly } from '../bench/render-nightly.ts';
import { NIGHTLY, withSection } from '../bench/sections.ts';

/** `npm run test:nightly`: the nightly tiers, then the failovers, and what came of both in docs/benchmarks.md. */
const CHECKOUT = new URL('..', import.meta.url).pathname;
const DOCUMENT = join(CHECKOUT, 'docs/benchmarks.md');
const provenance = readProvenance();

const directory = mkdtempSync(join(tmpdir(), 'holdfast-nightly-'));
const record = join(directory, 'record');
const run = spawnSync(process.execPath, ['test/run.ts', 'nightly', '--record', record], {
  cwd: CHECKOUT,
  stdio: 'inherit',
});
const { seconds, results } = JSON.parse(readFileSync(record, 'utf8'));
rmSync(directory, { recursive: true, force: true });
// It reads the commit anew: what is written below would make it a dirty one.
const failovers = spawnSync(process.execPath, ['bench/failovers.ts'], { cwd: CHECKOUT, stdio: 'inherit' });
const section = renderNightly({ ...provenance, seconds, tiers: results });
writeFileSync(DOCUMENT, withSection(readFileSync(DOCUMENT, 'utf8'), NIGHTLY, section));
const failed = [run, failovers].find(({ status }) => status !== 0);
process.exitCode = failed === undefined ? 0 : (failed.status ?? 1);
