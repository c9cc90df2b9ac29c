import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { labDirectory } from '../lab/runtime/directory.ts';
import { startLab, stopLab } from '../lab/runtime/lifecycle.ts';
import { CHECKOUT, readViolations } from '../lab/shared/files.ts';
import { runCampaignCommand } from './campaign-command.ts';
import { watchProbeUsage } from './probe-usage.ts';
import { readProvenance } from './provenance.ts';
import { type KafkaCampaign, renderKafka } from './render-kafka.ts';
import { KAFKA, withSection } from './sections.ts';

/**
 * `npm run bench:kafka -- [--runs 5] [--sessions 9000,2000] [--examples a.json,b.json]`: examples of Kafka again and again,
 * through the command as a user types it, in labs of its own with that session timeout of the brokers (ms). After the first
 * session only the first example is run. Writes its section of docs/benchmarks.md unless the lab was unlike AWS. A campaign
 * ends with the first run that is aborted.
 */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    sessions: { type: 'string', default: '9000,2000' },
    examples: {
      type: 'string',
      default: 'kafka-broker-unreachable-leader.json,kafka-broker-unreachable-controller.json,kafka-broker-killed.json',
    },
  },
});
const DOCUMENT = join(CHECKOUT, 'docs/benchmarks.md');
const say = (text: string): void => void process.stderr.write(`${text}\n`);

const runs = numberOf('runs', values.runs);
const sessions = values.sessions.split(',').map((text) => numberOf('sessions', text));
const examples = values.examples.split(',');
const provenance = readProvenance();
const directory = labDirectory();
const campaigns: KafkaCampaign[] = [];
const probeCpuPct: number[] = [];
const problems: string[] = [];
for (const [position, sessionMs] of sessions.entries()) {
  process.env.LAB_KAFKA_SESSION_MS = String(sessionMs);
  await startLab({ directory, scope: 'all', endsWithParent: true, engines: ['kafka'], onProgress: say });
  try {
    for (const example of position === 0 ? examples : examples.slice(0, 1)) {
      const usage = watchProbeUsage();
      try {
        const { document } = await runCampaignCommand(`examples/${example}`, ['--runs', String(runs)], directory);
        campaigns.push({ example, sessionMs, document });
      } finally {
        probeCpuPct.push(...usage.stop());
      }
    }
    problems.push(...readViolations(directory).slice(0, 1));
  } finally {
    await stopLab(directory);
  }
}
const section = renderKafka({ ...provenance, campaigns, probeCpuPct });
process.stdout.write(section);
if (problems.length === 0) writeFileSync(DOCUMENT, withSection(readFileSync(DOCUMENT, 'utf8'), KAFKA, section));
else say(`not written to docs/benchmarks.md: ${problems.join('; ')}`);
process.exitCode = problems.length === 0 ? 0 : 1;

function numberOf(option: string, text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new Error(`--${option}: ${text} is not a whole number from 1 to 99999`);
}
