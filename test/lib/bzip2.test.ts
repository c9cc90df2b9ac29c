import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bzip2 } from '../../lib/bzip2.ts';

/** Unpacks each of a list in base 64. */
const UNPACK = `
import base64, bz2, json, sys
texts = [bz2.decompress(base64.b64decode(packed)) for packed in json.load(sys.stdin)]
print(json.dumps([base64.b64encode(text).decode() for text in texts]))`;

function unpacked(packed: Uint8Array[]): Buffer[] {
  const input = JSON.stringify(packed.map((bytes) => Buffer.from(bytes).toString('base64')));
  const output = execFileSync('/usr/bin/python3', ['-I', '-c', UNPACK], { input, maxBuffer: 2 ** 26 });
  return JSON.parse(output.toString()).map((text: string) => Buffer.from(text, 'base64'));
}

it('writes what the bzip2 of Python reads', () => {
  const byte = fc.oneof(fc.constantFrom(0, 10, 32, 97, 255), fc.nat(255));
  const run = fc.tuple(byte, fc.oneof(fc.constantFrom(1, 3, 4, 5, 255, 256, 600), fc.nat(9)));
  const content = fc
    .array(run, { maxLength: 400 })
    .map((runs) => Buffer.concat(runs.map(([value, length]) => Buffer.alloc(length, value))));
  const periodic = fc
    .tuple(fc.string({ maxLength: 9 }), fc.nat(500))
    .map(([text, times]) => Buffer.from(text.repeat(times)));
  const samples = fc.sample(fc.oneof(content, periodic), 100);
  const skewed = Buffer.from(
    [...Array(24).keys()].map((at) => String.fromCharCode(97 + at).repeat(1.6 ** at)).join('-'),
  );
  const all = [...samples, skewed, readFileSync(process.execPath).subarray(0, 200_000)];
  expect(unpacked(all.map(bzip2))).toEqual(all.map((one) => Buffer.from(one)));
});

it('refuses what is more than one block', () => {
  const noise = fc.sample(fc.uint8Array({ minLength: 1000, maxLength: 1000 }), 1)[0] ?? [];
  expect(() => bzip2(Uint8Array.from({ length: 900_000 }, (_, at) => (noise[at % 1000] ?? 0) ^ (at >> 12)))).toThrow(
    'block',
  );
});
