import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EXIT, UsageError } from '../../cli/exit-codes.ts';
import {
  ALL_HOSTS,
  chooseFleets,
  DEFAULT_EXPERIMENT,
  DEFAULT_FLEETS,
  ENGINE_NAMES,
  type FleetName,
} from '../fleet/fleet.ts';
import { labDirectory } from '../runtime/directory.ts';
import { readLab } from '../runtime/lab-file.ts';
import { findSupervisor, readStatus, reservation, startLab, stopLab } from '../runtime/lifecycle.ts';
import { LAB_FILES } from '../shared/files.ts';
import { refuseWithout } from './engines.ts';
import { commandOn, runAttached } from './exec.ts';
import { exitWhenWritten } from './exit-when-written.ts';
import { runCommand } from './run.ts';

const USAGE = `The lab: the whole system on this machine, in namespaces of its own.

  lab [run] [FILE] [--json]   run one experiment (${DEFAULT_EXPERIMENT}); starts and ends a lab, with
                              the engines that the file needs, if none is up
  lab up [--engines LIST] [--tls] [--datacenters 2]
                              start the lab and leave it running; LIST: some of
                              ${ENGINE_NAMES.join()}
                              (${DEFAULT_FLEETS.join()} if left out; of two that are the same hosts, one);
                              --tls: with a shard more, which speaks TLS only; --datacenters 2:
                              nodes that ask each other in two of them
  lab status                  what runs, and what has died
  lab exec HOST -- CMD...     run a command on a host (${ALL_HOSTS[0]?.name} … ${ALL_HOSTS.at(-1)?.name}) or in a namespace
                              (gateway-1, gateway-2, load, ingest, consumers, prometheus, vpc, lambda)
  lab down                    end the lab; nothing of it stays

LAB_DIRECTORY: where it keeps its files (.lab of the checkout). What clusters are started with otherwise: lab/README.md, "Engines".
LAB_CONSUMER_BREAKER=off: consumers without their circuit breaker. LAB_GATEWAY_BULKHEAD=off: gateways
whose shards share one pool of workers. Root is needed.
`;

function say(text: string): void {
  process.stderr.write(`lab: ${text}\n`);
}

async function up(directory: string, engines: readonly FleetName[]): Promise<number> {
  const supervisor = findSupervisor(directory);
  if (supervisor !== undefined) {
    const reserved = reservation(directory, supervisor);
    if (reserved !== undefined) {
      say(reserved.text);
      return 1;
    }
    refuseWithout(engines, readLab(directory).engines);
    say('is already up');
    return Object.values(readStatus(directory)).some((part) => part.state === 'died') ? 1 : 0;
  }
  const start = performance.now();
  await startLab({ directory, scope: 'all', endsWithParent: false, engines, onProgress: say });
  say(`up after ${((performance.now() - start) / 1000).toFixed(1)} s; \`lab down\` ends it`);
  return 0;
}

function status(directory: string): number {
  const supervisor = findSupervisor(directory);
  if (supervisor === undefined) {
    process.stdout.write(`no lab is up in ${directory}\n`);
    return 3;
  }
  // A lab that is still starting has not said it yet.
  if (existsSync(join(directory, LAB_FILES.lab)))
    process.stdout.write(`${'engines'.padEnd(16)} ${readLab(directory).engines.join()}\n`);
  const parts = Object.entries(readStatus(directory));
  for (const [name, part] of parts) process.stdout.write(`${name.padEnd(16)} ${part.reason ?? part.state}\n`);
  return parts.some(([, part]) => part.state === 'died') ? 1 : 0;
}

function execute(directory: string, rest: string[]): Promise<number> {
  const [name, separator, ...argv] = rest;
  if (name === undefined || separator !== '--' || argv.length === 0) throw new UsageError('exec HOST -- CMD...');
  if (findSupervisor(directory) === undefined) throw new Error(`no lab is up in ${directory}`);
  return runAttached(commandOn(readLab(directory), name, argv));
}

function run(directory: string, rest: string[]): Promise<number> {
  let parsed: ReturnType<typeof parseRun>;
  try {
    parsed = parseRun(rest);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = parsed;
  if (positionals.length > 1) throw new UsageError(`run takes one file, not ${positionals.length}`);
  return runCommand(directory, { file: positionals[0] ?? DEFAULT_EXPERIMENT, json: values.json }, say);
}

function parseUp(args: string[]): readonly FleetName[] {
  try {
    const options = {
      engines: { type: 'string' },
      tls: { type: 'boolean', default: false },
      datacenters: { type: 'string' },
    } as const;
    const { values } = parseArgs({ args, options });
    return chooseFleets(values.engines, values);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function parseRun(args: string[]) {
  return parseArgs({ args, allowPositionals: true, options: { json: { type: 'boolean', default: false } } });
}

async function main(words: string[]): Promise<number> {
  const [verb = 'run', ...rest] = words;
  const isShortRun = verb === '--json' || /\.(json|ya?ml)$/.test(verb);
  if (verb === 'help' || verb === '--help') {
    process.stdout.write(USAGE);
    return 0;
  }
  const directory = labDirectory();
  if (verb === 'run' || isShortRun) return run(directory, isShortRun ? words : rest);
  if (verb === 'exec') return execute(directory, rest);
  if (verb === 'up') return up(directory, parseUp(rest));
  if (rest.length > 0) throw new UsageError(`${verb} takes no arguments`);
  if (verb === 'status') return status(directory);
  if (verb === 'down') {
    say((await stopLab(directory)) ? 'is gone' : 'was not up');
    return 0;
  }
  throw new UsageError(`unknown command ${verb}`);
}

try {
  exitWhenWritten(await main(process.argv.slice(2)));
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  if (error instanceof UsageError) process.stderr.write(USAGE);
  process.exit(error instanceof UsageError ? EXIT.usage : 1);
}
