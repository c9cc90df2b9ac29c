import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { composeProgram } from '../../lib/compose-program.ts';
import { BOUNDS_FILE, hostBounds } from '../../lib/host-bounds.ts';

const REAL = new URL('../../host/', import.meta.url).pathname;
const KINDS = readdirSync(`${REAL}faults`).map((name) => name.replace('.sh', ''));
/** Prints the files that a program imports, sources or runs and does not have. */
const MISSING = `
import ast, pathlib, re, sys
root, needed = pathlib.Path(sys.argv[1]), set()
for path in root.rglob('*.py'):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            needed |= {name.name + '.py' for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            folder = (root / node.module).is_dir()
            needed |= {f'{node.module}/{name.name}.py' for name in node.names} if folder else {node.module + '.py'}
for path in root.rglob('*.sh'):
    needed |= {name for pair in re.findall(r'^ *\\. \\./(\\S+)|python3 (?:-\\S+ )*([\\w/]+\\.py)', path.read_text(), re.M) for name in pair if name}
own = lambda name: name[:-3].split('.')[0] not in sys.stdlib_module_names and not (root / name[:-3]).is_dir()
print(' '.join(sorted(name for name in needed if own(name) and not (root / name).exists())))`;

let directory: string;
let host: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'compose-'));
  host = `${directory}/host/`;
  for (const folder of ['faults', 'fences', 'kinds', 'workers']) mkdirSync(`${host}${folder}`, { recursive: true });
  writeFileSync(`${host}run-command.sh`, 'set -eu\nmkdir faults fences kinds workers\n#@FILES@\necho written\n');
  writeFileSync(
    `${host}watchdog.py`,
    'import kinds\nfrom fences import redis\nprint("$HOME `id` \\\\n")\n\n{{packed}} no newline',
  );
  writeFileSync(`${host}fences/redis.py`, 'redis\n');
  writeFileSync(`${host}unused.py`, 'nobody imports this\n');
  writeFileSync(`${host}faults/pause.sh`, 'echo \'quoted\' "$1"\n');
  writeFileSync(`${host}faults/kill.sh`, 'echo kill\n');
  for (const name of ['__init__', 'pause', 'kill']) writeFileSync(`${host}kinds/${name}.py`, `${name} = "ü"\n`);
  for (const name of ['flap', 'burn']) writeFileSync(`${host}workers/${name}.py`, `${name}\n`);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('composeProgram', () => {
  it('writes every file on the host as it stands in the repository', () => {
    const target = mkdtempSync(`${directory}/target-`);
    const script = composeProgram(host, ['pause']).join('\n');
    expect(execFileSync('bash', ['-c', script], { cwd: target, encoding: 'utf8' })).toBe('written\n');
    const watchdog = readFileSync(`${host}watchdog.py`, 'utf8');
    expect(readFileSync(`${target}/watchdog.py`, 'utf8')).toBe(watchdog);
    expect(readFileSync(`${target}/faults/pause.sh`, 'utf8')).toBe('echo \'quoted\' "$1"\n');
    expect(script).not.toContain('echo kill');
    expect(readFileSync(`${target}/kinds/pause.py`, 'utf8')).toBe('pause = "ü"\n');
  });

  it('carries the modules of its own kinds and the workers that their scripts start, and no others', () => {
    const target = mkdtempSync(`${directory}/target-`);
    writeFileSync(`${host}faults/pause.sh`, '# start_worker burn is for another kind\nx=1; start_worker flap "$x"\n');
    writeFileSync(`${host}mentioned.sh`, 'nobody runs this\n');
    writeFileSync(`${host}kinds/pause.py`, '# As (mentioned.sh) says.\n# ./mentioned.sh\n');
    writeFileSync(`${host}faults/kill.sh`, '# see ./mentioned.sh\n');
    execFileSync('bash', ['-c', composeProgram(host, ['pause']).join('\n')], { cwd: target });
    expect(readdirSync(target)).not.toContain('mentioned.sh');
    expect(composeProgram(host, ['kill']).join('\n')).not.toContain('nobody runs this');
    expect(readdirSync(`${target}/kinds`).sort()).toEqual(['__init__.py', 'pause.py']);
    expect(readdirSync(`${target}/workers`)).toEqual(['flap.py']);
    expect(readdirSync(`${target}/fences`)).toEqual(['redis.py']);
    expect(readdirSync(target)).not.toContain('unused.py');
    writeFileSync(`${host}faults/pause.sh`, 'start_worker missing\n');
    expect(() => composeProgram(host, ['pause'])).toThrow('workers/missing.py');
  });

  it('writes the bounds as the control plane has them, whatever the copy beside the program says', () => {
    const target = mkdtempSync(`${directory}/target-`);
    writeFileSync(`${host}${BOUNDS_FILE}`, 'TTL_SECONDS = (1, 999999)\n');
    writeFileSync(`${host}watchdog.py`, 'import bounds\n');
    execFileSync('bash', ['-c', composeProgram(host, ['pause']).join('\n')], { cwd: target });
    expect(readFileSync(`${target}/${BOUNDS_FILE}`, 'utf8')).toBe(hostBounds());
  });

  it('gives the same text for the same files, so that no deployment changes a document without need', () => {
    expect(composeProgram(host, ['pause', 'kill'])).toEqual(composeProgram(host, ['pause', 'kill']));
  });

  it.each([...KINDS.map((kind) => [kind]), KINDS])('leaves out nothing that the program of %s needs', (...kinds) => {
    const target = mkdtempSync(`${directory}/target-`);
    const script = composeProgram(REAL, kinds)
      .join('\n')
      .replace('programs=/run/holdfast/program', `programs=${target}`);
    execFileSync('bash', ['-c', script.replace('exec /usr/bin/python3', 'true')]);
    const program = `${target}/${readdirSync(target)[0]}`;
    expect(readdirSync(`${program}/faults`).sort()).toEqual(kinds.map((kind) => `${kind}.sh`).sort());
    const missing = execFileSync('/usr/bin/python3', ['-I', '-c', MISSING, program], { encoding: 'utf8' });
    // What watchdog.py imports to inject.
    expect(missing.trim()).toBe(kinds.length === 1 ? '' : 'arming.py pair.py systemd.py');
  });

  it('keeps every document of the real program, and the one that rolls back all kinds, well under 64 KB', () => {
    for (const kinds of [KINDS, ...KINDS.map((kind) => [kind])]) {
      // Parameters and their descriptions take some 5 KB more.
      expect(Buffer.byteLength(JSON.stringify(composeProgram(REAL, kinds))), kinds.join()).toBeLessThan(60_000);
    }
  });

  it('refuses a file that SSM would interpolate or that ends its own heredoc', () => {
    writeFileSync(`${host}faults/kill.sh`, 'echo {{ experimentId }}\n');
    expect(() => composeProgram(host, ['kill'])).toThrow('faults/kill.sh contains "{{"');
    writeFileSync(`${host}faults/kill.sh`, 'HOLDFAST_END_OF_FILE\nrm -rf /\n');
    expect(() => composeProgram(host, ['kill'])).toThrow('heredoc delimiter');
  });

  it('refuses a run-command.sh without its placeholder, which would run no program', () => {
    writeFileSync(`${host}run-command.sh`, 'echo nothing\n');
    expect(() => composeProgram(host, [])).toThrow('#@FILES@');
  });
});
