import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { UsageError } from '../../cli/exit-codes.ts';
import { checkExperiment, readExperiment, readExperimentText } from '../../cli/experiment-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-file-'));
afterAll(() => rmSync(directory, { recursive: true }));

const VALID = {
  experimentId: 'exp_1',
  targetService: 'redis-master',
  action: 'CPU_SPIKE',
  parameters: { targetNodes: ['redis-node-3'], cores: 1, loadPct: 50 },
  durationSeconds: 60,
  safetyThreshold: { maxAlertSeverity: 'WARNING', automaticRollbackOnAlert: true },
};
const YAML = `# A comment.
experimentId: exp_1
targetService: redis-master
action: CPU_SPIKE
parameters:
  targetNodes: [redis-node-3]
  cores: 1
  loadPct: 50
durationSeconds: 60
safetyThreshold:
  maxAlertSeverity: WARNING
  automaticRollbackOnAlert: true
`;

function file(name: string, content: string | Buffer): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

/** What is said of a file, without its path. */
function refusalOf(name: string, content: string | Buffer): string {
  const path = file(name, content);
  try {
    readExperiment(path);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return error.message.replaceAll(path, 'FILE');
  }
  throw new Error('it was accepted');
}

describe('a file', () => {
  test('of JSON is posted byte for byte, one of YAML as the JSON that it means', () => {
    const json = `${JSON.stringify(VALID, null, 1)}\n`;
    expect(readExperiment(file('a.json', json)).payload).toBe(json);
    expect(JSON.parse(readExperiment(file('a.yaml', YAML)).payload)).toEqual(VALID);
  });

  test('of YAML means the same as one of JSON, whatever the values', () => {
    const names = fc
      .string({ unit: 'binary-ascii', minLength: 1 })
      .filter((name) => /^[\w -]+$/.test(name) && name !== '__proto__');
    const values = fc.oneof(fc.string(), fc.integer({ min: -1e9, max: 1e9 }), fc.boolean(), fc.constant(null));
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ depthSize: 'small' }, values, fc.array(tie('tree')), fc.dictionary(names, tie('tree'))),
    }));
    fc.assert(
      fc.property(tree, (inner) => {
        const document = { experimentId: 'exp_1', inner };
        const path = file('any.yaml', stringify(document, { aliasDuplicateObjects: false }));
        expect(JSON.parse(readExperimentText(path).payload)).toEqual(document);
      }),
    );
  });

  test('that is valid is the experiment of the API', () => {
    const checked = checkExperiment(readExperimentText(file('a.yaml', YAML)));
    expect(checked).toMatchObject({ ok: true, experiment: { durationSeconds: 60, faults: [{ kind: 'CPU_SPIKE' }] } });
  });

  test('with a wrong field is refused with line, column, field and what is allowed, in both forms', () => {
    expect(refusalOf('b.yaml', YAML.replace('loadPct: 50', 'loadPct: 500'))).toMatch(
      /^FILE:8:3: parameters\.loadPct: .+ \(allowed: a whole number from 1 to 100: .+\)$/,
    );
    const json = JSON.stringify(VALID, null, 2).replace('"loadPct": 50', '"loadPct": 500');
    expect(refusalOf('b.json', json)).toMatch(/^FILE:10:5: parameters\.loadPct: /);
  });

  test('with several wrong fields names them all, in their order; a missing one where it should stand', () => {
    const text = YAML.replace('durationSeconds: 60', 'durationSecond: 60').replace(
      'action: CPU_SPIKE',
      'action: METEOR',
    );
    expect(refusalOf('c.yaml', text).split('\n')).toEqual([
      expect.stringMatching(/^FILE:2:1: durationSeconds: .+ \(allowed: a whole number from 1 to 600\)$/),
      expect.stringMatching(/^FILE:4:1: action: /),
      expect.stringMatching(
        /^FILE:9:1: durationSecond: is not a known field \(allowed: one of \$schema, experimentId, /,
      ),
    ]);
  });

  test('with a wrong item of a list is refused at the item', () => {
    expect(refusalOf('d.yaml', YAML.replace('[redis-node-3]', '[redis-node-3, "a b"]'))).toMatch(
      /^FILE:6:31: parameters\.targetNodes\.1: is not a node name/,
    );
  });

  const AMBIGUOUS: [string, string, RegExp][] = [
    ['a name given twice', `${YAML}durationSeconds: 600\n`, /^FILE:13:1: durationSeconds: is given twice/],
    ['an anchor', YAML.replace('cores: 1', 'cores: &one 1'), /^FILE:7:15: .*&one is an anchor/],
    ['an alias', YAML.replace('cores: 1', 'cores: &one 1\n  loadPct: *one'), /\*one is an alias/],
    ['a merge key', YAML.replace('cores: 1', '<<: {cores: 1}'), /^FILE:7:3: .*<< is a merge key/],
    ['a tag', YAML.replace('cores: 1', 'cores: !!int "1"'), /^FILE:7:16: .*!!int is a tag/],
    ['a tag of nobody', YAML.replace('cores: 1', 'cores: !mine 1'), /!mine is a tag/],
    ['a directive', `%YAML 1.1\n---\n${YAML}`, /^FILE:1:1: .*directive/],
    ['a second document', `${YAML}---\n${YAML}`, /^FILE:13:1: .*is not YAML/],
    ['an octal number', YAML.replace('cores: 1', 'cores: 01'), /^FILE:7:10: .*01 is a number to some/],
    ['a hexadecimal number', YAML.replace('cores: 1', 'cores: 0x1'), /0x1 is a number to some/],
    ['an infinite number', YAML.replace('cores: 1', 'cores: .inf'), /\.inf is a number to some/],
    ['an id that would be a number', YAML.replace('exp_1', '019'), /^FILE:2:15: .*019 is a number to some/],
    ['a number of too many digits', YAML.replace('cores: 1', 'cores: 1.0000000000000001'), /parameters\.cores: .*kept/],
    ['a name that is no text', YAML.replace('cores: 1', '1: 1'), /^FILE:7:3: .*is not a name/],
    ['a name that is a list', `${YAML}? [a]\n: 1\n`, /is not a name/],
    ['tabs', YAML.replace('  cores', '\tcores'), /^FILE:7:1: .*is not YAML: Tabs/],
    ['a list', '- a\n', /is not an object/],
    ['a text', 'hello\n', /is not an object/],
    ['no id', 'a: 1\n', /^FILE:1:1: experimentId: is no text/],
  ];
  for (const [what, text, expected] of AMBIGUOUS) {
    test(`of YAML with ${what} is refused by name`, () => expect(refusalOf('e.yaml', text)).toMatch(expected));
  }

  const BROKEN: [string, string | Buffer, RegExp][] = [
    ['is empty', ' \n', /^FILE: is empty; allowed: /],
    ['is not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), /^FILE: is not UTF-8/],
    ['begins with a byte order mark', `\uFEFF${JSON.stringify(VALID)}`, /^FILE:1:1: begins with a byte order mark/],
    ['has a comma too many', '{\n  "a": 1,\n}', /^FILE:3:1: .*is not JSON/],
    ['has a word without quotes', '{\n  "a": yes\n}', /^FILE:2:8: .*is not JSON/],
    ['has no value', '{\n  "a": }', /^FILE:2:8: .*is not JSON/],
    ['ends too early', '{\n  "a": [1,', /^FILE:2:11: .*is not JSON/],
    ['has a comment', '{\n  // why\n  "a": 1\n}', /^FILE:2:3: .*is not JSON/],
    ['gives a name twice', '{"experimentId": "a",\n "experimentId": "b"}', /^FILE:2:2: experimentId: is given twice/],
    ['is nested too deep', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, /nested too deep/],
    ['is too large', 'x'.repeat(2 ** 20 + 1), /too many for an experiment/],
  ];
  test('of YAML that is nested too deep is refused in one line', () => {
    expect(refusalOf('f.yaml', '['.repeat(20_000))).toBe(
      'FILE:1:1: (file): is nested too deep (allowed: one experiment)',
    );
  });

  test('with many things wrong shows the first ones and how many there are', () => {
    const fields = Array.from({ length: 50 }, (_, at) => `field${at}: &a 1`).join('\n');
    const lines = refusalOf('f.yaml', fields).split('\n');
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toBe('FILE: and 30 more');
  });

  for (const [what, text, expected] of BROKEN) {
    test(`of JSON that ${what} is refused with the place`, () => expect(refusalOf('f.json', text)).toMatch(expected));
  }

  test('that is more than the API takes is refused with its size', () => {
    const text = JSON.stringify({ ...VALID, comment: 'x'.repeat(70_000) });
    expect(refusalOf('g.json', text)).toMatch(/the body has \d+ bytes/);
  });

  test('that is not there, or is a directory, is refused by its full path', () => {
    expect(() => readExperimentText(join(directory, 'no.json'))).toThrow(`${join(directory, 'no.json')}: ENOENT`);
    expect(() => readExperimentText(directory)).toThrow(/EISDIR/);
  });
});
