import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path/posix';
import type { HostFaultKind } from '../functions/domain/faults/catalogue.ts';
import { ENGINE_NAMES } from '../functions/engines/configuration.ts';
import { BOUNDS_FILE, hostBounds } from './host-bounds.ts';
import { hostSpecification, SPECIFICATION_FILE } from './host-specification.ts';
import { END_OF_FILE, packed } from './packed-files.ts';
import { type LogicalLine, logicalLines, stripPython } from './strip-python.ts';

/** The line of `run-command.sh` that is replaced by the files of the program. */
export const PLACEHOLDER = '#@FILES@';
const ENTRY = 'watchdog.py';
const INJECT = 'inject.py';
/** The entry imports them when it is asked to inject, or to watch what was injected. */
const ONLY_INJECTS = [INJECT, 'supervision/pair.py'];

/**
 * One script that writes the host program and runs it: `run-command.sh` with its placeholder line replaced by quoted
 * heredocs, so that a host needs nothing but what its image has and nothing is downloaded.
 *
 * With one kind it is the program that injects it: the module that says what happens to the host stands in it as it is,
 * to be read where it runs. With several it is the one that rolls all of them back. All else is stripped and packed.
 *
 * @param hostDirectory absolute path of `host/`, with a trailing slash.
 * @throws Error when the placeholder or a file is missing, or the module of the kind cannot be carried as it is.
 */
export function composeProgram(hostDirectory: string, kinds: readonly HostFaultKind[]): string[] {
  const injects = kinds.length === 1;
  const files = collect(hostDirectory, kinds, injects);
  const lines = readFileSync(`${hostDirectory}run-command.sh`, 'utf8').trimEnd().split('\n');
  const position = lines.indexOf(PLACEHOLDER);
  if (position < 0) throw new Error(`host/run-command.sh has no line ${PLACEHOLDER}`);
  const legible = injects ? kinds.map(moduleOf) : [];
  return [
    ...lines.slice(0, position),
    ...files.flatMap(([file, text]) => (legible.includes(file) ? asItIs(file, text) : [])),
    ...packed(files.flatMap(([file, text]) => (legible.includes(file) ? [] : [[file, stripPython(text)]]))),
    ...lines.slice(position + 1),
  ];
}

/** What is loaded by name, and every module that one of these imports; by path. */
function collect(hostDirectory: string, kinds: readonly HostFaultKind[], injects: boolean): [string, string][] {
  const generated = new Map([
    [BOUNDS_FILE, hostBounds()],
    [SPECIFICATION_FILE, hostSpecification(kinds)],
  ]);
  const exists = (file: string) => generated.has(file) || existsSync(`${hostDirectory}${file}`);
  const texts = new Map<string, string>();
  const waiting = [
    ENTRY,
    ...(injects ? [INJECT] : []),
    ...kinds.map(moduleOf),
    ...ENGINE_NAMES.map((engine) => `engines/${engine}.py`).filter(exists),
  ];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (texts.has(file) || (!injects && ONLY_INJECTS.includes(file))) continue;
    const text = generated.get(file) ?? readFileSync(`${hostDirectory}${file}`, 'utf8');
    texts.set(file, text);
    const lines = logicalLines(stripPython(text));
    waiting.push(...[`${dirname(file)}/__init__.py`, ...lines.flatMap(imported)].filter(exists));
    // A rollback starts no workers, it only ends them.
    if (injects && file.startsWith('faults/')) waiting.push(...lines.flatMap(worker));
  }
  return [...texts].sort(([one], [other]) => (one < other ? -1 : 1));
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

function asItIs(file: string, content: string): string[] {
  // `{{` would be read by SSM as one of its own parameters, inside or outside of quotes.
  if (content.includes('{{')) throw new Error(`host/${file} contains "{{", which SSM would try to interpolate`);
  const lines = content.replace(/\n$/, '').split('\n');
  if (lines.includes(END_OF_FILE)) throw new Error(`host/${file} contains the heredoc delimiter ${END_OF_FILE}`);
  return [`mkdir -p ${dirname(file)}`, `cat <<'${END_OF_FILE}' > ${file}`, ...lines, END_OF_FILE];
}
