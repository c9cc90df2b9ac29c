import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dict, list, raw, text, tuple, written } from '../../lib/python-literal.ts';

const READ = 'import ast, json, sys; print(json.dumps(ast.literal_eval(sys.stdin.read().removeprefix("A = "))))';

function asPythonReadsIt(source: string): unknown {
  return JSON.parse(execFileSync('/usr/bin/python3', ['-I', '-B', '-c', READ], { input: source, encoding: 'utf8' }));
}

describe('a Python literal', () => {
  it('is read by Python as it was meant, however long its texts, on lines of at most 120 characters', () => {
    const texts = fc.sample(fc.string({ unit: fc.constantFrom(...'ab |{}[].,: é'), maxLength: 400 }), 100);
    const source = written('A', list(texts.flatMap((content) => [text(content), tuple([raw(content), list([])])])));
    expect(asPythonReadsIt(source)).toEqual(texts.flatMap((content) => [content, [content, []]]));
    const named = written('A', dict(texts.map((content, at) => [`${at}`, text(content)])));
    expect(asPythonReadsIt(named)).toEqual(Object.fromEntries(texts.entries()));
    expect(Math.max(...`${source}\n${named}`.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
    expect(asPythonReadsIt(written('A', dict([['a-b', raw('[0-9]\\.')]])))).toEqual({ 'a-b': '[0-9]\\.' });
  });

  it.each(['"', '\n', '\\'])('is not made of a text that would need an escape: %j', (content) => {
    expect(() => text(content)).toThrow('not written');
    expect(() => raw(content)).toThrow('not written');
  });
});
