import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { HOST_FAULT_KINDS, type HostFaultKind, kindOf, scriptName } from '../../functions/domain/faults/catalogue.ts';
import type { DocumentParameter } from '../../functions/domain/faults/kind.ts';
import { documentParameters, ROLL_BACK_PARAMETERS } from '../../lib/document-parameters.ts';
import { hostSpecification, SPECIFICATION_FILE } from '../../lib/host-specification.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
/** What Python makes of the module: its names in capitals, as JSON. */
const READ = `import json, sys
sys.path.insert(0, sys.argv[1])
import specification
print(json.dumps({name: value for name, value in vars(specification).items() if name.isupper()}))`;

const directory = mkdtempSync(join(tmpdir(), 'specification-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Specification {
  IDENTITY: Record<string, [pattern: string, words: string]>;
  COMMON: Record<string, [string, string]>;
  PARAMETERS: Record<string, Record<string, [string, string]>>;
  RULES: Record<string, [rule: string, first: string, second: string][]>;
  RESOURCES: Record<string, string>;
}

function asPythonReadsIt(kinds: readonly HostFaultKind[]): Specification {
  writeFileSync(join(directory, SPECIFICATION_FILE), hostSpecification(kinds));
  return JSON.parse(execFileSync('/usr/bin/python3', ['-I', '-B', '-c', READ, directory], { encoding: 'utf8' }));
}

/** Without the anchors, as the host matches whole texts. */
const toldTo = (parameters: Readonly<Record<string, DocumentParameter>>) =>
  Object.fromEntries(
    Object.entries(parameters).map(([name, { description, pattern }]) => [name, [pattern.slice(1, -1), description]]),
  );

describe('host/specification.py', () => {
  it('is what the kinds say now; `npm run generate` writes it', () => {
    expect(readFileSync(`${ROOT}host/${SPECIFICATION_FILE}`, 'utf8')).toBe(hostSpecification(HOST_FAULT_KINDS));
  });

  it('lets the host check exactly the parameters of each document, by the same patterns', () => {
    const { IDENTITY, COMMON, PARAMETERS } = asPythonReadsIt(HOST_FAULT_KINDS);
    expect(Object.keys(PARAMETERS)).toEqual(HOST_FAULT_KINDS.map(scriptName));
    for (const kind of HOST_FAULT_KINDS) {
      const checked = { ...IDENTITY, ...COMMON, ...PARAMETERS[scriptName(kind)] };
      expect(checked, kind).toEqual(toldTo(documentParameters(kind)));
    }
    expect({ ...IDENTITY, verb: expect.anything() }).toEqual(toldTo(ROLL_BACK_PARAMETERS));
  });

  it('gives it the rules between two fields that it is told of, and no others', () => {
    const { RULES } = asPythonReadsIt(HOST_FAULT_KINDS);
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
      const { PARAMETERS, RULES, RESOURCES } = asPythonReadsIt([kind]);
      const name = scriptName(kind);
      expect([PARAMETERS, RULES].map((table) => Object.keys(table))).toEqual([[name], [name]]);
      expect(RESOURCES).toEqual({ [name]: kindOf(kind).resource });
    }
  });

  it('has nothing to say to ruff, whichever kinds it carries', () => {
    const files = [HOST_FAULT_KINDS, [], ...HOST_FAULT_KINDS.map((kind) => [kind])].map((kinds, index) => {
      const file = join(directory, `specification_${index}.py`);
      writeFileSync(file, hostSpecification(kinds));
      return file;
    });
    const lint = () => execFileSync(process.execPath, [`${ROOT}test/lint-python.ts`, ...files], { encoding: 'utf8' });
    expect(lint).not.toThrow();
  });
});
