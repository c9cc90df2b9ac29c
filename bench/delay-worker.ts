import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKOUT } from '../lab/shared/files.ts';
import { readProvenance } from './provenance.ts';
import { type DelayedRate, renderDelayWorker } from './render-delay-worker.ts';
import { DELAY_WORKER, withSection } from './sections.ts';

/**
 * `npm run bench:delay`: how many packets a second the worker carries that delays them where the kernel has no netem. Writes
 * its section of docs/benchmarks.md.
 */
const RATES = [1000, 2000, 5000, 10_000, 20_000];
const DOCUMENT = join(CHECKOUT, 'docs/benchmarks.md');

const provenance = readProvenance();
const program = join(CHECKOUT, 'bench/delay_worker_rate.py');
const script = `mount -t tmpfs none /run && exec /usr/bin/python3 -B ${program} ${RATES.join(' ')}`;
const output = execFileSync('unshare', ['-nm', 'sh', '-c', script], { encoding: 'utf8' });
const rates = output
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as DelayedRate);
const section = renderDelayWorker({ ...provenance, rates });
process.stdout.write(section);
writeFileSync(DOCUMENT, withSection(readFileSync(DOCUMENT, 'utf8'), DELAY_WORKER, section));
