import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { counts, type RunDocument } from '../cli/runs/run-document.ts';
import { labDirectory } from '../lab/runtime/directory.ts';
import { startLab, stopLab } from '../lab/runtime/lifecycle.ts';
import { CHECKOUT, readViolations } from '../lab/shared/files.ts';
import { runCampaignCommand } from './campaign-command.ts';
import { readProvenance } from './provenance.ts';
import { type CassandraCampaign, renderCassandra } from './render-cassandra.ts';
import { CASSANDRA, withSection } from './sections.ts';

/**
 * `npm run bench:cassandra -- [--runs 5] [--examples a.json,b.json]`: examples of Cassandra again and again, through the
 * command as a user types it, in a lab of its own. Writes its section of docs/benchmarks.md unless the lab was unlike AWS. A
 * campaign ends with the first run that is aborted, as on a busy machine; then another one follows it, and every run is shown.
 */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    examples: {
      type: 'string',
      default:
        'cassandra-node-killed.json,cassandra-node-paused.json,cassandra-node-paused-default-client.json,cassandra-partition.json,cassandra-disk-full.json',
    },
  },
});
const DOCUMENT = join(CHECKOUT, 'docs/benchmarks.md');
if (!/^[1-9]\d{0,2}$/.test(values.runs)) throw new Error(`--runs: ${values.runs} is not a whole number from 1 to 999`);

const runs = Number(values.runs);
const MOST_CAMPAIGNS = 4;
const provenance = readProvenance();
const directory = labDirectory();
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const campaigns: CassandraCampaign[] = [];
let problems: string[] = [];
await startLab({ directory, scope: 'all', endsWithParent: true, engines: ['cassandra'], onProgress: say });
try {
  for (const example of values.examples.split(',')) {
    const made: RunDocument[] = [];
    for (let campaign = 1; campaign <= MOST_CAMPAIGNS && made.filter(counts).length < runs; campaign += 1) {
      const missing = String(runs - made.filter(counts).length);
      const { document } = await runCampaignCommand(`examples/${example}`, ['--runs', missing], directory);
      made.push(...document.runs);
    }
    campaigns.push({ example, runs: made });
  }
  problems = readViolations(directory).slice(0, 1);
} finally {
  await stopLab(directory);
}
const section = renderCassandra({ ...provenance, campaigns });
process.stdout.write(section);
if (problems.length === 0) writeFileSync(DOCUMENT, withSection(readFileSync(DOCUMENT, 'utf8'), CASSANDRA, section));
else say(`not written to docs/benchmarks.md: ${problems.join('; ')}`);
process.exitCode = problems.length === 0 ? 0 : 1;
