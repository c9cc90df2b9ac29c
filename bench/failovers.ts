import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { labDirectory } from '../lab/runtime/directory.ts';
import { findSupervisor, startLab, stopLab } from '../lab/runtime/lifecycle.ts';
import { CHECKOUT, readViolations } from '../lab/shared/files.ts';
import { runCampaignCommand } from './campaign-command.ts';
import { runsFrom } from './failover-runs.ts';
import { readProvenance } from './provenance.ts';
import { renderFailovers } from './render-failovers.ts';
import { FAILOVERS, withSection } from './sections.ts';

/**
 * `npm run bench:failovers`: as many failovers of the canary master as a claim of P95 takes, or as FAILOVERS says, through
 * the command as a user types it, in a lab that is up or one of its own. Writes its section of docs/benchmarks.md when all
 * of them ran.
 */
const DEFAULT_RUNS = 59;
const DOCUMENT = join(CHECKOUT, 'docs/benchmarks.md');
const say = (text: string): void => void process.stderr.write(`${text}\n`);

const provenance = readProvenance();
const runs = runsFrom(process.env.FAILOVERS, DEFAULT_RUNS);
const directory = labDirectory();
const isOurs = findSupervisor(directory) === undefined;
if (isOurs) await startLab({ directory, scope: 'all', endsWithParent: true, onProgress: say });
try {
  const startedMs = performance.now();
  const { code, document } = await runCampaignCommand(
    'bench/failover.json',
    ['--runs', String(runs), '--follow-role', 'master'],
    directory,
  );
  const seconds = (performance.now() - startedMs) / 1000;
  const section = renderFailovers({ ...provenance, seconds, document });
  process.stdout.write(section);
  const violations = readViolations(directory);
  const reasons = [
    ...(document.runs.length < runs ? [document.endedEarly ?? 'there are fewer runs than were asked for'] : []),
    ...violations.slice(0, 1).map((violation) => `AWS would not have said this, or not have taken it: ${violation}`),
  ];
  if (reasons.length === 0) {
    writeFileSync(DOCUMENT, withSection(readFileSync(DOCUMENT, 'utf8'), FAILOVERS, section));
  } else say(`not written to docs/benchmarks.md: ${reasons.join('; ')}`);
  process.exitCode = reasons.length > 0 && code === 0 ? 1 : code;
} finally {
  if (isOurs) await stopLab(directory);
}
