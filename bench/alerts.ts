import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createApiClient } from '../cli/api-client.ts';
import { labDirectory } from '../lab/runtime/directory.ts';
import { connectionOf, readLab } from '../lab/runtime/lab-file.ts';
import { findSupervisor, startLab, stopLab } from '../lab/runtime/lifecycle.ts';
import { CHECKOUT } from '../lab/shared/files.ts';
import { type AlertRun, measureAlertmanager, measureAmp, measureCloudWatch } from './alert-runs.ts';
import { readProvenance } from './provenance.ts';
import { type AlertPath, renderAlerts } from './render-alerts.ts';
import { ALERTS, withSection } from './sections.ts';

/**
 * `npm run bench:alerts -- [--repetitions 3]`: how long an alarm or an alert takes to lift a fault, on each way in, in a lab that is
 * up or one of its own. Writes its section of docs/benchmarks.md.
 */
const { values } = parseArgs({ options: { repetitions: { type: 'string', default: '3' } } });
if (!/^[1-9]\d?$/.test(values.repetitions)) throw new Error(`--repetitions: ${values.repetitions} is not from 1 to 99`);
const repetitions = Number(values.repetitions);

const PATHS = { cloudWatch: measureCloudWatch, amp: measureAmp, alertmanager: measureAlertmanager } as const;
const say = (text: string): void => void process.stderr.write(`${text}\n`);

const provenance = readProvenance();
const directory = labDirectory();
const isOurs = findSupervisor(directory) === undefined;
if (isOurs) await startLab({ directory, scope: 'all', endsWithParent: true, onProgress: say });
try {
  const lab = readLab(directory);
  const client = createApiClient(connectionOf(lab));
  const runs: Record<AlertPath, AlertRun[]> = { cloudWatch: [], amp: [], alertmanager: [] };
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    for (const path of Object.keys(PATHS) as AlertPath[]) {
      const result = await PATHS[path]({ lab, client });
      runs[path].push(result);
      say(`${path} ${repetition + 1}/${repetitions}: ${JSON.stringify(result)}`);
    }
  }
  client.close();
  const section = renderAlerts({ ...provenance, runs });
  process.stdout.write(section);
  const document = join(CHECKOUT, 'docs/benchmarks.md');
  writeFileSync(document, withSection(readFileSync(document, 'utf8'), ALERTS, section));
} finally {
  if (isOurs) await stopLab(directory);
}
