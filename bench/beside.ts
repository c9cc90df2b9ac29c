import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EVERY_ENGINE, type FleetName } from '../lab/fleet/fleet.ts';
import { startLab, stopLab } from '../lab/runtime/lifecycle.ts';
import { CHECKOUT, readViolations } from '../lab/shared/files.ts';
import { runCampaignCommand } from './campaign-command.ts';
import { runsFrom } from './failover-runs.ts';
import { readProvenance } from './provenance.ts';
import { type BesideRun, renderBeside } from './render-beside.ts';
import { BESIDE, withSection } from './sections.ts';

/**
 * `npm run bench:beside`: failovers of the canary master (ten, or as many as FAILOVERS says) in a lab of Redis alone, and as
 * many in one of all engines, to see what the others cost them. Writes its section of docs/benchmarks.md when all of them ran.
 */
const DEFAULT_RUNS = 10;
const DOCUMENT = join(CHECKOUT, 'docs/benchmarks.md');
const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function measure(engines: readonly FleetName[], runs: number): Promise<BesideRun> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
  try {
    const startedMs = performance.now();
    await startLab({ directory, scope: 'all', endsWithParent: true, engines, onProgress: say });
    const startSeconds = (performance.now() - startedMs) / 1000;
    const options = ['--runs', String(runs), '--follow-role', 'master'];
    const { document } = await runCampaignCommand('bench/failover.json', options, directory);
    const [violation] = readViolations(directory);
    if (violation) throw new Error(`AWS would not have said this, or not have taken it: ${violation}`);
    if (document.runs.length < runs) throw new Error(document.endedEarly ?? 'there are fewer runs than were asked for');
    return { engines, startSeconds, document };
  } finally {
    await stopLab(directory);
    rmSync(directory, { recursive: true, force: true });
  }
}

const provenance = readProvenance();
const runs = runsFrom(process.env.FAILOVERS, DEFAULT_RUNS);
const alone = await measure(['redis'], runs);
const beside = await measure(EVERY_ENGINE, runs);
const section = renderBeside({ ...provenance, alone, beside });
process.stdout.write(section);
writeFileSync(DOCUMENT, withSection(readFileSync(DOCUMENT, 'utf8'), BESIDE, section));
