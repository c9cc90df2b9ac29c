import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  HOST_FAULT_KINDS,
  type HostFaultKind,
  hostKindOf,
  scriptName,
} from '../../functions/domain/faults/catalogue.ts';
import { composeProgram } from '../../lib/compose-program.ts';
import { BOUNDS_FILE, hostBounds } from '../../lib/host-bounds.ts';
import { hostSpecification, rollBackSpecification, SPECIFICATION_FILE } from '../../lib/host-specification.ts';
import { stripPython } from '../../lib/strip-python.ts';
import { writeProgram } from './write-program.ts';

const REAL = fileURLToPath(new URL('../../host/', import.meta.url));
/** Prints of every fault whether it can have a fence, and whether it uses what only a program with fences has. */
const FENCES = `
import json, sys
sys.path.insert(0, sys.argv[1])
import faults
found = {kind: faults.load(kind) for kind in faults.carried()}
uses = lambda fault: type(fault).uses_packet_filter is not faults.Fault.uses_packet_filter
print(json.dumps({kind: [fault.can_be_fenced, uses(fault)] for kind, fault in found.items()}))
`;

let host: string;
beforeEach(() => {
  host = `${mkdtempSync(join(tmpdir(), 'compose-'))}/`;
  writeFileSync(`${host}run-command.sh`, readFileSync(`${REAL}run-command.sh`));
  write({
    'watchdog.py':
      'import record\ndef main():\n    import inject\n    from supervision import pair\n    import fence\n',
    'inject.py': 'import record\nfrom linux import netem\n',
    'record.py': 'record = 1\n',
    'supervision/pair.py': 'import record, supervision.runner\n',
    'supervision/runner.py': 'runner = 1\n',
    'fence.py': 'from linux import netfilter\n',
    'unused.py': 'nobody imports this\n',
    'linux/netem.py': 'netem = 1\n',
    'linux/netfilter.py': 'netfilter = 1\n',
    'linux/processes.py': 'processes = 1\n',
    'engines/redis.py': 'redis = 1\n',
    'engines/unknown.py': 'unknown = 1\n',
    'faults/__init__.py': 'faults = 1\n',
    'faults/process_pause.py': '"""Pauses."""\nfrom linux import processes\nWORKER = "pause_cycle"\n',
    'faults/process_kill.py':
      'from linux import processes\n# WORKER = "cpu_load"\nIT = """\nWORKER = "cpu_load"\n"""\n',
    'faults/cpu_spike.py': 'from linux import processes\nWORKER = "cpu_load"\n',
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
      'fence.py',
      'inject.py',
      'linux/netem.py',
      'linux/netfilter.py',
      'linux/processes.py',
      'record.py',
      'supervision/pair.py',
      'supervision/runner.py',
      'watchdog.py',
      'worker_lifetime.py',
      'workers/pause_cycle.py',
    ]);
    expect(carriedFor('PROCESS_KILL')).not.toContainEqual(expect.stringContaining('workers/'));
    write({ 'linux/processes.py': 'WORKER = "cpu_load"\n' });
    expect(carriedFor('PROCESS_KILL')).toContain('workers/cpu_load.py');
  });

  it('carries for a fault without a fence nothing that functions import, or load by name, for fences', () => {
    const OF_ALL = ['faults/cpu_spike.py', 'linux/processes.py', 'record.py', 'workers/cpu_load.py'];
    expect(carriedFor('CPU_SPIKE')).toEqual(expect.arrayContaining(OF_ALL));
    for (const file of ['engines/redis.py', 'fence.py', 'linux/netfilter.py'])
      expect(carriedFor('CPU_SPIKE')).not.toContain(file);
    write({ 'inject.py': 'def late():\n    from linux import netem\n' });
    expect(carriedFor('CPU_SPIKE')).toContain('linux/netem.py');
    write({ 'inject.py': 'from linux import netfilter\n' });
    expect(carriedFor('CPU_SPIKE')).toContain('linux/netfilter.py');
  });

  it('carries to roll back all kinds, but nothing that only injecting needs', () => {
    expect(carriedFor('PROCESS_PAUSE', 'PROCESS_KILL')).toEqual([
      'engines/redis.py',
      'faults/__init__.py',
      'faults/process_kill.py',
      'faults/process_pause.py',
      'fence.py',
      'linux/netfilter.py',
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

  it('writes all modules stripped', () => {
    const pause = `"""Pauses, 'as' "said"."""\n\nTEXT = r'$HOME \`id\` \\n'  # ü\n\n\ndef pause() -> None:\n    pass\n`;
    const redis = '"""An engine."""\nTEXT: str = """$HOME {{x}}\n\n  `id` \\\\n"""  # ü\nOTHER = {"u": {}}\n';
    write({ 'faults/process_pause.py': pause, 'engines/redis.py': redis });
    for (const program of [programOf('PROCESS_PAUSE'), programOf('PROCESS_PAUSE', 'PROCESS_KILL')]) {
      expect(program.get('engines/redis.py')).toBe(stripPython(redis));
      expect(program.get('faults/process_pause.py')).toBe(stripPython(pause));
    }
  });

  it('writes the bounds and the specification of its kinds as the control plane has them now', () => {
    write({ [BOUNDS_FILE]: 'TTL_SECONDS = (1, 999999)\n', [SPECIFICATION_FILE]: 'PARAMETERS = {}\n' });
    write({ 'watchdog.py': 'import bounds, specification\n' });
    const program = programOf('PROCESS_PAUSE');
    expect(program.get(BOUNDS_FILE)).toBe(stripPython(hostBounds()));
    expect(program.get(SPECIFICATION_FILE)).toBe(stripPython(hostSpecification(['PROCESS_PAUSE'])));
    const rollBack = programOf('PROCESS_PAUSE', 'PROCESS_KILL');
    expect(rollBack.get(SPECIFICATION_FILE)).toBe(stripPython(rollBackSpecification()));
  });

  it('gives the same text for the same files, so that no deployment changes a document without need', () => {
    expect(composeProgram(host, ['PROCESS_PAUSE'])).toEqual(composeProgram(host, ['PROCESS_PAUSE']));
  });

  it('knows of the same faults as the host which of them can have a fence', () => {
    const said = execFileSync('/usr/bin/python3', ['-I', '-B', '-c', FENCES, REAL], { encoding: 'utf8' });
    const ofHost: Record<string, [canBeFenced: boolean, usesPacketFilter: boolean]> = JSON.parse(said);
    expect(Object.keys(ofHost).sort()).toEqual(HOST_FAULT_KINDS.map(scriptName).toSorted());
    for (const kind of HOST_FAULT_KINDS) {
      const [canBeFenced, usesPacketFilter] = ofHost[scriptName(kind)] ?? [];
      expect(hostKindOf(kind).fence, kind).toBe(canBeFenced);
      if (usesPacketFilter) expect(canBeFenced, kind).toBe(true);
    }
  });

  it('refuses to leave out the module of a kind, or a worker that it names', () => {
    expect(() => composeProgram(host, ['DISK_IO'])).toThrow('faults/disk_io.py');
    expect(() => composeProgram(host, ['DISK_IO', 'PROCESS_KILL'])).toThrow('faults/disk_io.py');
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
