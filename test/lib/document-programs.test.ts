import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { HOST_FAULT_KINDS, hostKindOf, scriptName } from '../../functions/domain/faults/catalogue.ts';
import { ROLL_BACK_DOCUMENT } from '../../functions/domain/names.ts';
import { BOUNDS_FILE, hostBounds } from '../../lib/host-bounds.ts';
import { hostSpecification, rollBackSpecification, SPECIFICATION_FILE } from '../../lib/host-specification.ts';
import { stripPython } from '../../lib/strip-python.ts';
import { named, scriptOf } from './deployed-documents.ts';
import { writeProgram } from './write-program.ts';

const SCRIPTS = HOST_FAULT_KINDS.map(scriptName);
/** What each document writes on a host. */
const programs = new Map(
  [...SCRIPTS, ROLL_BACK_DOCUMENT].map((name) => [name, writeProgram(scriptOf(named(name)))] as const),
);
const programOf = (name: string) => programs.get(name) ?? new Map<string, string>();
const faultsOf = (name: string) =>
  [...programOf(name).keys()]
    .flatMap((path) => /^faults\/(\w+)\.py$/.exec(path)?.[1] ?? [])
    .filter((module) => module !== '__init__')
    .map((module) => module.replaceAll('_', '-'));

/** Imported by functions that run for faults with a fence alone. */
const OF_FENCES = ['preflight.py:packet_filter_preflight', 'revert.py:fence', 'revert.py:linux.netfilter'];
const found = lacking();

/** What check-programs.py says of each. */
function lacking(): Record<string, { missing: string[]; problem: string | null }> {
  const input = JSON.stringify(
    Object.fromEntries([...programs].map(([name, files]) => [name, Object.fromEntries(files)])),
  );
  const argv = ['-I', '-B', `${import.meta.dirname}/check-programs.py`];
  return JSON.parse(execFileSync('/usr/bin/python3', argv, { input, encoding: 'utf8' }));
}

describe('the program of a document', () => {
  it('has the watchdog and only the module of its own fault; that of the rollback has all', () => {
    for (const script of SCRIPTS) expect(faultsOf(script)).toEqual([script]);
    expect(faultsOf(ROLL_BACK_DOCUMENT).sort()).toEqual(SCRIPTS.toSorted());
    for (const [name, program] of programs) {
      expect(program.has('watchdog.py'), name).toBe(true);
      expect(program.has('inject.py'), name).toBe(name !== ROLL_BACK_DOCUMENT);
    }
  });

  it.each(HOST_FAULT_KINDS)('leaves out nothing that is needed to inject %s', (kind) => {
    const { fence } = hostKindOf(kind);
    expect(programOf(scriptName(kind)).has('engines/redis.py')).toBe(fence);
    const { missing, problem } = found[scriptName(kind)] ?? {};
    expect(missing?.toSorted()).toEqual(['watchdog.py:start_store', ...(fence ? [] : OF_FENCES)].toSorted());
    expect(problem).toBeNull();
  });

  it('leaves out nothing that is needed to roll back any kind', () => {
    const { missing, problem } = found[ROLL_BACK_DOCUMENT] ?? {};
    expect(missing?.toSorted()).toEqual([
      'faults/network_latency.py:linux.packet_rate',
      'linux/packet_delay.py:linux.packet_queue',
      'watchdog.py:inject',
      'watchdog.py:supervision.pair',
    ]);
    expect(problem).toBeNull();
  });

  it('begins like that of another kind of the same sort, so that a template needs to say it once', () => {
    const alike = (one: string, other: string) => {
      const lines = new Set(scriptOf(named(one)));
      const shared = scriptOf(named(other)).filter((line) => lines.has(line));
      return shared.join('').length / [...lines].join('').length;
    };
    expect(alike('cpu-spike', 'disk-full')).toBeGreaterThan(0.9);
    expect(alike('network-loss', 'process-kill')).toBeGreaterThan(0.8);
  });

  it('has bounds and specification of the control plane as they are now, also where the copies are older', () => {
    const expectGenerated = (name: string, specification: string) => {
      expect(programOf(name).get(BOUNDS_FILE), name).toBe(stripPython(hostBounds()));
      expect(programOf(name).get(SPECIFICATION_FILE), name).toBe(stripPython(specification));
    };
    for (const kind of HOST_FAULT_KINDS) expectGenerated(scriptName(kind), hostSpecification([kind]));
    expectGenerated(ROLL_BACK_DOCUMENT, rollBackSpecification());
  });
});
