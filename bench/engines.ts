import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { chooseFleets } from '../lab/fleet/fleet.ts';
import { startLab, stopLab } from '../lab/runtime/lifecycle.ts';
import { CHECKOUT } from '../lab/shared/files.ts';
import { readHostUsage } from './host-usage.ts';
import { readProvenance } from './provenance.ts';
import { type EngineRun, renderEngines, startsOf } from './render-engines.ts';
import { withSection } from './sections.ts';

/**
 * `npm run bench:engines -- [--engines kafka | cassandra | redis,kafka,cassandra] [--repetitions 3] [--cold 1]`: starts a lab's hosts and stores again and again, and
 * says how long that took and what they need when nobody asks them anything. Writes its section of docs/benchmarks.md.
 * A cold start fetches what no Debian package brings: an empty cache, and an empty repository of Maven.
 */
const { values } = parseArgs({
  options: {
    engines: { type: 'string', default: 'kafka' },
    repetitions: { type: 'string', default: '3' },
    cold: { type: 'string', default: '1' },
  },
});
const engines = chooseFleets(values.engines, { tls: false });
const [warm, cold] = [countOf('repetitions', values.repetitions), countOf('cold', values.cold)];
/** Long enough that a heartbeat more or less does not matter. */
const IDLE_SECONDS = 20;

function countOf(option: string, text: string): number {
  if (/^\d{1,2}$/.test(text)) return Number(text);
  throw new Error(`--${option}: ${text} is not a whole number from 0 to 99`);
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function measure(isCold: boolean): Promise<EngineRun> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
  const cache = { XDG_CACHE_HOME: process.env.XDG_CACHE_HOME, MAVEN_OPTS: process.env.MAVEN_OPTS };
  if (isCold) {
    process.env.XDG_CACHE_HOME = join(directory, 'cache');
    process.env.MAVEN_OPTS = `-Dmaven.repo.local=${join(directory, 'maven')}`;
  }
  const [loadBefore = 0] = loadavg();
  const startedMs = performance.now();
  try {
    const { lab } = await startLab({ directory, scope: 'fleet', endsWithParent: true, engines, onProgress: say });
    const startSeconds = (performance.now() - startedMs) / 1000;
    const usage = () => lab.hosts.map(({ pid }) => readHostUsage(pid));
    const [before, fromMs] = [usage(), performance.now()];
    await delay(IDLE_SECONDS * 1000);
    const [after, seconds] = [usage(), (performance.now() - fromMs) / 1000];
    const cpu = after.map(({ cpuSeconds }, index) => ((cpuSeconds - (before[index]?.cpuSeconds ?? 0)) / seconds) * 100);
    return { isCold, startSeconds, loadBefore, megabytes: after.map(({ megabytes }) => megabytes), cpuPct: cpu };
  } finally {
    await stopLab(directory);
    for (const [name, value] of Object.entries(cache)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    rmSync(directory, { recursive: true, force: true });
  }
}

const provenance = readProvenance();
const runs: EngineRun[] = [];
for (let run = 0; run < cold + warm; run += 1) {
  runs.push(await measure(run < cold));
  say(JSON.stringify(runs.at(-1)));
}
const section = renderEngines({ ...provenance, engines, runs });
process.stdout.write(section);
const document = join(CHECKOUT, 'docs/benchmarks.md');
writeFileSync(document, withSection(readFileSync(document, 'utf8'), startsOf(engines).section, section));
