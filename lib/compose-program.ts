import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path/posix';
import { type HostFaultKind, hostKindOf } from '../functions/domain/faults/catalogue.ts';
import { ENGINE_NAMES } from '../functions/engines/configuration.ts';
import { BOUNDS_FILE, hostBounds } from './host-bounds.ts';
import { hostSpecification, rollBackSpecification, SPECIFICATION_FILE } from './host-specification.ts';
import { type File, packed } from './packed-files.ts';
import { type LogicalLine, logicalLines, stripPython } from './strip-python.ts';

/** The line of `run-command.sh` that is replaced by the files of the program. */
export const PLACEHOLDER = '#@FILES@';
const ENTRY = 'watchdog.py';
const INJECT = 'inject.py';
/** Imported in functions that run for an injection alone, or for those who watch what was injected. */
const ONLY_INJECTS = [INJECT, 'supervision/pair.py', 'linux/packet_queue.py', 'linux/packet_rate.py'];
/** Only the program that rolls back is asked for it. */
const NEVER_INJECTS = ['start_store.py'];
/** Imported in functions that run for no fault without a fence. So are the engines, by name. */
const ONLY_FENCED = ['fence.py', 'packet_filter_preflight.py', 'linux/netfilter.py'];

/**
 * One script that writes the host program and runs it: `run-command.sh` with its placeholder line replaced by an
 * archive, so that a host needs nothing but what its image has and nothing is downloaded.
 *
 * With one kind it is the program that injects it, with several the one that rolls all of them back.
 *
 * @param hostDirectory absolute path of `host/`, with a trailing slash.
 * @throws Error when the placeholder or a file is missing, or a file cannot be packed.
 */
export function composeProgram(hostDirectory: string, kinds: readonly HostFaultKind[]): string[] {
  const lines = readFileSync(`${hostDirectory}run-command.sh`, 'utf8').trimEnd().split('\n');
  const position = lines.indexOf(PLACEHOLDER);
  if (position < 0) throw new Error(`host/run-command.sh has no line ${PLACEHOLDER}`);
  const { first, others } = collect(hostDirectory, kinds);
  return [...lines.slice(0, position), ...packed(first, others), ...lines.slice(position + 1)];
}

/**
 * What is loaded by name, and every module that one of these imports, with the workers that they name. First what is the same for all kinds with a fence,
 * or for all without: their archives begin alike.
 */
function collect(hostDirectory: string, kinds: readonly HostFaultKind[]): { first: File[]; others: File[] } {
  const injects = kinds.length === 1;
  const isFenced = kinds.some((kind) => hostKindOf(kind).fence);
  const generated = new Map([
    [BOUNDS_FILE, hostBounds()],
    [SPECIFICATION_FILE, injects ? hostSpecification(kinds) : rollBackSpecification()],
  ]);
  const exists = (file: string) => generated.has(file) || existsSync(`${hostDirectory}${file}`);
  const isLeftOut = (file: string, { indentation }: LogicalLine) =>
    !isFenced && indentation > 0 && ONLY_FENCED.includes(file);
  const files = new Map<string, string>();

  function reach(names: readonly string[]): File[] {
    const before = files.size;
    const waiting = [...names];
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      if (files.has(file) || (injects ? NEVER_INJECTS : ONLY_INJECTS).includes(file)) continue;
      const text = stripPython(generated.get(file) ?? readFileSync(`${hostDirectory}${file}`, 'utf8'));
      files.set(file, text);
      const lines = logicalLines(text);
      const imports = lines.flatMap((line) => imported(line).filter((path) => !isLeftOut(path, line)));
      waiting.push(...[`${dirname(file)}/__init__.py`, ...imports].filter(exists));
      // A rollback starts no workers, it only ends them.
      if (injects) waiting.push(...lines.flatMap(worker));
    }
    return [...files].slice(before);
  }

  const engines = ENGINE_NAMES.map((engine) => `engines/${engine}.py`).filter(exists);
  const same = reach([ENTRY, ...(injects ? [INJECT] : []), ...(isFenced ? engines : [])]);
  const own = reach(kinds.map(moduleOf));
  const isOwn = ([file]: File) => file === SPECIFICATION_FILE;
  return { first: same.filter((file) => !isOwn(file)), others: [...own, ...same.filter(isOwn)] };
}

const moduleOf = (kind: HostFaultKind) => `faults/${kind.toLowerCase()}.py`;

/** Where the modules would be that a line imports: at its start, or behind a colon or a semicolon. */
function imported({ tokens }: LogicalLine): string[] {
  return tokens.flatMap((token, start) => {
    if (!['import', 'from'].includes(token) || (start > 0 && !/^[:;]$/.test(tokens[start - 1] ?? ''))) return [];
    const end = tokens.indexOf(';', start);
    const statement = tokens.slice(start, end < 0 ? tokens.length : end);
    const names = statement.filter((_, at) => /^(?:import|[,(])$/.test(statement[at - 1] ?? ''));
    const [, origin = ''] = statement;
    if (origin.startsWith('.')) throw new Error(`"${statement.join(' ')}": relative imports are not followed`);
    const modules = token === 'from' ? [origin, ...names.map((name) => `${origin}.${name}`)] : names;
    return modules.map((name) => name.replaceAll('.', '/')).flatMap((path) => [`${path}.py`, `${path}/__init__.py`]);
  });
}

/** `WORKER = "NAME"`, of a module. */
function worker({ indentation, tokens }: LogicalLine): string[] {
  const name = /^["'](\w+)["']$/.exec(tokens.at(-1) ?? '')?.[1];
  return indentation === 0 && tokens[0] === 'WORKER' && name !== undefined ? [`workers/${name}.py`] : [];
}
