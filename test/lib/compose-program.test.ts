import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HOST_FAULT_KINDS, type HostFaultKind } from '../../functions/domain/faults/catalogue.ts';
import { composeProgram } from '../../lib/compose-program.ts';
import { BOUNDS_FILE, hostBounds } from '../../lib/host-bounds.ts';
import { hostSpecification, SPECIFICATION_FILE } from '../../lib/host-specification.ts';
import { stripPython } from '../../lib/strip-python.ts';
import { writeProgram } from './write-program.ts';

const REAL = fileURLToPath(new URL('../../host/', import.meta.url));
/** Reads {path: text} and prints what these modules import and is neither among them nor in Python: `who:what`. */
const MISSING = `
import ast, json, re, sys
files = json.load(sys.stdin)

class Imports(ast.NodeVisitor):
    def __init__(self):
        self.modules = set()

    def visit_If(self, node):
        if not ast.unparse(node.test).endswith("TYPE_CHECKING"):
            self.generic_visit(node)

    def visit_Import(self, node):
        self.modules |= {name.name for name in node.names}

    def visit_ImportFrom(self, node):
        origin = "." * node.level + (node.module or "")
        folder, own = origin.replace(".", "/"), files.get(origin.replace(".", "/") + "/__init__.py", "")
        is_package = any(path.startswith(folder + "/") for path in files)
        names = {name.name for name in node.names if not re.search(rf"\\b{name.name}\\b", own)}
        self.modules |= {f"{origin}.{name}" for name in names} if is_package else {origin}

for path, text in sorted(files.items()):
    imports = Imports()
    imports.visit(ast.parse(text))
    for module in sorted(imports.modules):
        place = module.replace(".", "/")
        there = f"{place}.py" in files or any(other.startswith(place + "/") for other in files)
        if not there and module.split(".")[0] not in sys.stdlib_module_names:
            print(f"{path}:{module}")
`;

let host: string;
beforeEach(() => {
  host = `${mkdtempSync(join(tmpdir(), 'compose-'))}/`;
  writeFileSync(`${host}run-command.sh`, readFileSync(`${REAL}run-command.sh`));
  write({
    'watchdog.py': 'import record\ndef main():\n    import inject\n    from supervision import pair\n',
    'inject.py': 'import record\nfrom linux import netem\n',
    'record.py': 'record = 1\n',
    'supervision/pair.py': 'import record, supervision.runner\n',
    'supervision/runner.py': 'runner = 1\n',
    'unused.py': 'nobody imports this\n',
    'linux/netem.py': 'netem = 1\n',
    'linux/processes.py': 'processes = 1\n',
    'engines/redis.py': 'redis = 1\n',
    'engines/unknown.py': 'unknown = 1\n',
    'faults/__init__.py': 'faults = 1\n',
    'faults/process_pause.py': '"""Pauses."""\nfrom linux import processes\nWORKER = "pause_cycle"\n',
    'faults/process_kill.py':
      'from linux import processes\n# WORKER = "cpu_load"\nIT = """\nWORKER = "cpu_load"\n"""\n',
    'workers/pause_cycle.py': 'import worker_lifetime\n',
    'workers/cpu_load.py': 'cpu_load = 1\n',
    'worker_lifetime.py': 'worker_lifetime = 1\n',
  });
});
afterEach(() => rmSync(host, { recursive: true, force: true }));

function write(files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(`${host}${path}`), { recursive: true });
    writeFileSync(`${host}${path}`, text);
  }
}
const programOf = (...kinds: HostFaultKind[]) => writeProgram(composeProgram(host, kinds));
const carriedFor = (...kinds: HostFaultKind[]) => [...programOf(...kinds).keys()].sort();

describe('composeProgram', () => {
  it('carries to inject one kind: its module, its worker, the engines, and what all of these import', () => {
    expect(carriedFor('PROCESS_PAUSE')).toEqual([
      'engines/redis.py',
      'faults/__init__.py',
      'faults/process_pause.py',
      'inject.py',
      'linux/netem.py',
      'linux/processes.py',
      'record.py',
      'supervision/pair.py',
      'supervision/runner.py',
      'watchdog.py',
      'worker_lifetime.py',
      'workers/pause_cycle.py',
    ]);
    expect(carriedFor('PROCESS_KILL')).not.toContainEqual(expect.stringContaining('workers/'));
  });

  it('carries to roll back all kinds, but nothing that only injecting needs', () => {
    expect(carriedFor('PROCESS_PAUSE', 'PROCESS_KILL')).toEqual([
      'engines/redis.py',
      'faults/__init__.py',
      'faults/process_kill.py',
      'faults/process_pause.py',
      'linux/processes.py',
      'record.py',
      'watchdog.py',
    ]);
  });

  it.each([
    ['import a', ['a.py']],
    ['import os, a as b, p.b', ['a.py', 'p/__init__.py', 'p/b.py']],
    ['from a import anything', ['a.py']],
    ['from p import b, c as d', ['p/__init__.py', 'p/b.py', 'p/c.py']],
    ['from p import (\n    b,  # why\n    c,\n)', ['p/__init__.py', 'p/b.py', 'p/c.py']],
    ['from p.b import (a)', ['p/__init__.py', 'p/b.py']],
    ['from p import \\\n    c', ['p/__init__.py', 'p/c.py']],
    ['def f():\n    if True: import a; from p import c', ['a.py', 'p/__init__.py', 'p/c.py']],
    ['import p', ['p/__init__.py']],
    ['# import a\n"""\nimport a\n"""\nx = "\\\nimport a"', []],
    ['from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\n\n    from p import b\nc = 1', []],
    ['def f():\n    yield from a\n    raise x from a', []],
  ])('follows %j', (statement, files) => {
    write({ 'a.py': 'a = 1\n', 'p/__init__.py': '', 'p/b.py': 'b = 1\n', 'p/c.py': 'c = 1\n' });
    write({ 'record.py': `${statement}\n` });
    expect(carriedFor('PROCESS_KILL').filter((path) => /^[ap][./]/.test(path))).toEqual(files);
  });

  it('writes the module of the kind as it stands in the repository, and all other modules stripped', () => {
    const pause = `"""Pauses, 'as' "said"."""\n\nTEXT = r'$HOME \`id\` \\n'  # ü\n\n\ndef pause() -> None:\n    pass\n`;
    const redis = '"""An engine."""\nTEXT: str = """$HOME {{x}}\n\n  `id` \\\\n"""  # ü\nOTHER = {"ü": {}}\n';
    write({ 'faults/process_pause.py': pause, 'engines/redis.py': redis });
    const program = programOf('PROCESS_PAUSE');
    expect(program.get('faults/process_pause.py')).toBe(pause);
    expect(composeProgram(host, ['PROCESS_PAUSE']).join('\n')).toContain(pause);
    expect(program.get('engines/redis.py')).toBe(stripPython(redis));
    expect(programOf('PROCESS_PAUSE', 'PROCESS_KILL').get('faults/process_pause.py')).toBe(stripPython(pause));
  });

  it('writes the bounds and the specification of its kinds as the control plane has them now', () => {
    write({ [BOUNDS_FILE]: 'TTL_SECONDS = (1, 999999)\n', [SPECIFICATION_FILE]: 'PARAMETERS = {}\n' });
    write({ 'watchdog.py': 'import bounds, specification\n' });
    const program = programOf('PROCESS_PAUSE');
    expect(program.get(BOUNDS_FILE)).toBe(stripPython(hostBounds()));
    expect(program.get(SPECIFICATION_FILE)).toBe(stripPython(hostSpecification(['PROCESS_PAUSE'])));
  });

  it('gives the same text for the same files, so that no deployment changes a document without need', () => {
    expect(composeProgram(host, ['PROCESS_PAUSE'])).toEqual(composeProgram(host, ['PROCESS_PAUSE']));
  });

  it.each(HOST_FAULT_KINDS)('leaves out nothing that the real program needs to inject %s', (kind) => {
    const program = writeProgram(composeProgram(REAL, [kind]));
    expect([...program.keys()]).toEqual(expect.arrayContaining(['watchdog.py', 'inject.py', 'engines/redis.py']));
    expect(missing(program)).toEqual([]);
  });

  it('leaves out nothing that the real program needs to roll back any kind', () => {
    expect(missing(writeProgram(composeProgram(REAL, HOST_FAULT_KINDS)))).toEqual([
      'watchdog.py:inject',
      'watchdog.py:supervision.pair',
    ]);
  });

  it('refuses a module that SSM would interpolate or that ends its own heredoc', () => {
    write({ 'faults/process_kill.py': 'x = "{{ experimentId }}"\n' });
    expect(() => composeProgram(host, ['PROCESS_KILL'])).toThrow('faults/process_kill.py contains "{{"');
    write({ 'faults/process_kill.py': 'x = """\nHOLDFAST_END_OF_FILE\n"""\n' });
    expect(() => composeProgram(host, ['PROCESS_KILL'])).toThrow('heredoc delimiter');
  });

  it('refuses to leave out the module of a kind, or a worker that it names', () => {
    expect(() => composeProgram(host, ['CPU_SPIKE'])).toThrow('faults/cpu_spike.py');
    expect(() => composeProgram(host, ['CPU_SPIKE', 'PROCESS_KILL'])).toThrow('faults/cpu_spike.py');
    write({ 'faults/process_kill.py': 'WORKER = "missing"\n' });
    expect(() => composeProgram(host, ['PROCESS_KILL'])).toThrow('workers/missing.py');
  });

  it('refuses an import that it does not follow', () => {
    write({ 'record.py': 'from . import unused\n' });
    expect(() => composeProgram(host, ['PROCESS_KILL'])).toThrow('relative');
  });

  it('refuses a run-command.sh without its placeholder, which would run no program', () => {
    write({ 'run-command.sh': 'echo nothing\n' });
    expect(() => composeProgram(host, ['PROCESS_KILL'])).toThrow('#@FILES@');
  });
});

function missing(program: ReadonlyMap<string, string>): string[] {
  const input = JSON.stringify(Object.fromEntries(program));
  const found = execFileSync('/usr/bin/python3', ['-I', '-c', MISSING], { input, encoding: 'utf8' });
  return found.split('\n').filter((line) => line !== '');
}
