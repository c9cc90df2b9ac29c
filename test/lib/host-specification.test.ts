import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  HOST_FAULT_KINDS,
  type HostFaultKind,
  hostKindOf,
  kindOf,
  scriptName,
} from '../../functions/domain/faults/catalogue.ts';
import type { DocumentParameter } from '../../functions/domain/faults/kind.ts';
import { documentParameters, ROLL_BACK_PARAMETERS } from '../../lib/document-parameters.ts';
import { hostSpecification, rollBackSpecification, SPECIFICATION_FILE } from '../../lib/host-specification.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
/** What Python makes of the module: its names in capitals, as JSON. */
const READ = `import json, sys
sys.path.insert(0, sys.argv[1])
import specification
print(json.dumps({name: value for name, value in vars(specification).items() if name.isupper()}))`;

const directory = mkdtempSync(join(tmpdir(), 'specification-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

type Patterns = Record<string, string>;
interface Specification {
  IDENTITY: Patterns;
  COMMON: Patterns;
  PARAMETERS: Record<string, Patterns>;
  RULES: Record<string, [rule: string, first: string, second: string][]>;
  RESOURCES: Record<string, string>;
}

function asPythonReadsIt(specification: string): Partial<Specification> {
  writeFileSync(join(directory, SPECIFICATION_FILE), specification);
  return JSON.parse(execFileSync('/usr/bin/python3', ['-I', '-B', '-c', READ, directory], { encoding: 'utf8' }));
}

const specificationOf = (kinds: readonly HostFaultKind[]) => asPythonReadsIt(hostSpecification(kinds)) as Specification;

/** Without the anchors, as the host matches whole texts. */
const toldTo = (parameters: Readonly<Record<string, DocumentParameter>>) =>
  Object.fromEntries(Object.entries(parameters).map(([name, { pattern }]) => [name, pattern.slice(1, -1)]));

describe('host/specification.py', () => {
  it('is what the kinds say now; `npm run generate` writes it', () => {
    expect(readFileSync(`${ROOT}host/${SPECIFICATION_FILE}`, 'utf8')).toBe(hostSpecification(HOST_FAULT_KINDS));
  });

  it('lets the host check exactly the parameters of each document, by the same patterns', () => {
    const { IDENTITY, COMMON, PARAMETERS } = specificationOf(HOST_FAULT_KINDS);
    expect(Object.keys(PARAMETERS)).toEqual(HOST_FAULT_KINDS.map(scriptName));
    for (const kind of HOST_FAULT_KINDS) {
      const checked = { ...IDENTITY, ...COMMON, ...PARAMETERS[scriptName(kind)] };
      expect(checked, kind).toEqual(toldTo(documentParameters(kind)));
    }
    const { verb, ...identity } = toldTo(ROLL_BACK_PARAMETERS);
    expect(verb).toBeDefined();
    expect(IDENTITY).toEqual(identity);
  });

  it('is for the rollback what its own document has, and no more', () => {
    const { verb, ...identity } = toldTo(ROLL_BACK_PARAMETERS);
    expect(asPythonReadsIt(rollBackSpecification())).toEqual({ IDENTITY: identity });
  });

  it('allows no fence to a kind that has none, whose program could not raise it', () => {
    const { COMMON, PARAMETERS } = specificationOf(HOST_FAULT_KINDS);
    expect(COMMON.fence).toContain('none');
    const without = HOST_FAULT_KINDS.filter((kind) => PARAMETERS[scriptName(kind)]?.fence === 'none');
    expect(without).toEqual(HOST_FAULT_KINDS.filter((kind) => !hostKindOf(kind).fence));
  });

  it('gives it the rules between two fields that it is told of, and no others', () => {
    const { RULES } = specificationOf(HOST_FAULT_KINDS);
    expect(RULES).toMatchObject({
      'network-partition': [],
      'network-latency': [
        ['atMost', 'jitterMs', 'latencyMs'],
        ['onlyWith', 'correlationPct', 'jitterMs'],
      ],
      'process-pause': [
        ['onlyWith', 'repeatEverySeconds', 'pauseSeconds'],
        ['lessThan', 'pauseSeconds', 'repeatEverySeconds'],
      ],
      'memory-pressure': [['exactlyOne', 'memoryBytes', 'memoryPct']],
      'disk-full': [['exactlyOne', 'fillPct', 'fillBytes']],
    });
    expect(Object.keys(RULES)).toEqual(HOST_FAULT_KINDS.map(scriptName));
    for (const kind of HOST_FAULT_KINDS) {
      const told = Object.keys(documentParameters(kind));
      for (const [, ...fields] of RULES[scriptName(kind)] ?? []) expect(told).toEqual(expect.arrayContaining(fields));
    }
  });

  it('carries the kinds it is asked for, and the resources of these', () => {
    for (const kind of HOST_FAULT_KINDS) {
      const { PARAMETERS, RULES, RESOURCES } = specificationOf([kind]);
      const name = scriptName(kind);
      expect([PARAMETERS, RULES].map((table) => Object.keys(table))).toEqual([[name], [name]]);
      expect(RESOURCES).toEqual({ [name]: kindOf(kind).resource });
    }
  });

  it('has nothing to say to ruff, whichever kinds it carries', () => {
    const kinds = [HOST_FAULT_KINDS, [], ...HOST_FAULT_KINDS.map((kind) => [kind])];
    const files = [...kinds.map(hostSpecification), rollBackSpecification()].map((specification, index) => {
      const file = join(directory, `specification_${index}.py`);
      writeFileSync(file, specification);
      return file;
    });
    const lint = () => execFileSync(process.execPath, [`${ROOT}test/lint-python.ts`, ...files], { encoding: 'utf8' });
    expect(lint).not.toThrow();
  });
});
