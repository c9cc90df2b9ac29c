import { readFileSync } from 'node:fs';
import { closingLine, failureLines, type Result, unacceptable } from './result.ts';

/** `total.ts FILE`: the closing line over all runs that have recorded their results there. */
const [file = ''] = process.argv.slice(2);
const runs = readFileSync(file, 'utf8').split('\n').filter(Boolean);
const results = runs.flatMap((line) => (JSON.parse(line) as { results: Result[] }).results);
process.stdout.write(`\n${[...failureLines(results), closingLine(results)].join('\n')}\n`);
process.exitCode = unacceptable(results) === 0 ? 0 : 1;
