import { existsSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { BOUNDS_FILE, hostBounds } from './host-bounds.ts';

/** The line of `run-command.sh` that is replaced by the files of the program. */
export const PLACEHOLDER = '#@FILES@';
const DELIMITER = 'HOLDFAST_END_OF_FILE';
/** What `watchdog.py` imports only to inject. */
const ONLY_INJECTS = ['arming.py', 'half.py', 'pair.py', 'systemd.py'];
/** Writes the packed files: Python unpacks what Python runs, and no other tool has to be on the host. */
const UNPACK = `/usr/bin/python3 -I -c 'import base64, gzip, json, sys
for path, text in json.loads(gzip.decompress(base64.b64decode(sys.stdin.read()))).items():
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)' <<'${DELIMITER}'`;

/**
 * One script that writes the host program and runs it: `run-command.sh` with its placeholder line replaced by quoted
 * heredocs, so that a host needs nothing but what its image has and nothing is downloaded.
 *
 * With one fault script it is the program that injects it: the shell scripts, which touch the host, stand in it as they
 * are, to be read where they run. With several it is the one that reverts all of them, and packed: it has 64 KB like any other.
 *
 * @param hostDirectory absolute path of `host/`, with a trailing slash.
 * @param faultScripts names below `host/faults/` to carry, without `.sh`.
 * @throws Error when the placeholder is missing or a file is missing or cannot be carried unchanged.
 */
export function composeProgram(hostDirectory: string, faultScripts: readonly string[]): string[] {
  const injects = faultScripts.length === 1;
  const files = collect(hostDirectory, faultScripts, injects);
  const lines = readFileSync(`${hostDirectory}run-command.sh`, 'utf8').trimEnd().split('\n');
  const position = lines.indexOf(PLACEHOLDER);
  if (position < 0) throw new Error(`host/run-command.sh has no line ${PLACEHOLDER}`);
  const legible = (file: string) => injects && file.endsWith('.sh');
  return [
    ...lines.slice(0, position),
    ...files.flatMap(([file, text]) => (legible(file) ? carry(file, text) : [])),
    ...pack(files.filter(([file]) => !legible(file))),
    ...lines.slice(position + 1),
  ];
}

/** The command, the scripts and modules of the kinds, and every file of `host/` that one of them names; by path. */
function collect(hostDirectory: string, faultScripts: readonly string[], injects: boolean): [string, string][] {
  const texts = new Map<string, string>();
  const waiting = ['watchdog.py', ...faultScripts.flatMap((name) => [`faults/${name}.sh`, moduleOf(name)])];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (texts.has(file) || (!injects && ONLY_INJECTS.includes(file))) continue;
    const text = file === BOUNDS_FILE ? hostBounds() : readFileSync(`${hostDirectory}${file}`, 'utf8');
    texts.set(file, text);
    waiting.push(...[...imported(text), ...named(file, text)].filter((name) => existsSync(`${hostDirectory}${name}`)));
    // A revert starts no workers, it only ends them.
    if (injects) waiting.push(...workers(text));
  }
  return [...texts].sort(([one], [other]) => (one < other ? -1 : 1));
}

const moduleOf = (script: string) => `kinds/${script.replaceAll('-', '_')}.py`;

/** `import NAME`, `from FOLDER import NAME`: where they would be. */
function imported(text: string): string[] {
  return [...text.matchAll(/^ *(?:import|from) (\w+)(?: import (\w+))?/gm)].flatMap(([, name, member]) => [
    `${name}.py`,
    `${name}/__init__.py`,
    `${name}/${member}.py`,
  ]);
}

/** `. ./NAME.sh`, `python3 NAME.py` of a script, `"NAME.sh"` of a module; what a comment speaks of is not needed. */
function named(file: string, text: string): string[] {
  const pattern = file.endsWith('.py') ? /"([\w-]+\.sh)"/g : /^(?! *#).*?(?:[\s"'(]|\.\/)([\w-]+\.(?:sh|py))\b/gm;
  const names = [...text.matchAll(pattern)].map(([, name = '']) => name);
  return names.filter((name) => name !== 'run-command.sh');
}

/** `start_worker NAME` of a script; a comment starts none. */
function workers(text: string): string[] {
  return [...text.matchAll(/^[^#\n]*\bstart_worker (\w+)/gm)].map(([, name]) => `workers/${name}.py`);
}

function carry(file: string, content: string): string[] {
  // `{{` would be read by SSM as one of its own parameters, inside or outside of quotes.
  if (content.includes('{{')) throw new Error(`host/${file} contains "{{", which SSM would try to interpolate`);
  const lines = content.replace(/\n$/, '').split('\n');
  if (lines.includes(DELIMITER)) throw new Error(`host/${file} contains the heredoc delimiter ${DELIMITER}`);
  return [`cat <<'${DELIMITER}' > ${file}`, ...lines, DELIMITER];
}

/** All as one archive, which is a third smaller than each alone. The same bytes for the same content: gzip's time is 0. */
function pack(files: readonly [string, string][]): string[] {
  const packed = gzipSync(JSON.stringify(Object.fromEntries(files)), { level: 9 }).toString('base64');
  return [...UNPACK.split('\n'), ...(packed.match(/.{1,1000}/g) ?? []), DELIMITER];
}
