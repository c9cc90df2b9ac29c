import { bzip2 } from './bzip2.ts';

/** Ends a file, or the archive, in the script. */
export const END_OF_FILE = 'HOLDFAST_END_OF_FILE';
/** Of Python's `base64.b85encode`, but for `{`: two of them would begin a parameter of SSM. */
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`,|}~';
const LINE_LENGTH = 1000;
/** Python unpacks what Python runs, and no other tool has to be on the host. */
const UNPACK = `/usr/bin/python3 -I -c 'import base64, bz2, os, sys
digits = sys.stdin.read().replace("\\n", "").replace(",", "{")
parts = iter(bz2.decompress(base64.b85decode(digits)).decode().split("\\0"))
for path, text in zip(parts, parts):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)' <<'${END_OF_FILE}'`;

/**
 * Lines of a script that write the files into the working directory, where they may need folders. The same lines for
 * the same files, whenever they are packed.
 *
 * @param files path and content; without NUL, which stands between them in the archive.
 */
export function packed(files: readonly (readonly [path: string, text: string])[]): string[] {
  const digits = base85(Buffer.from(bzip2(Buffer.from(files.flat().join('\0')))));
  return [...UNPACK.split('\n'), ...(digits.match(new RegExp(`.{1,${LINE_LENGTH}}`, 'g')) ?? []), END_OF_FILE];
}

/** Five digits for four bytes, and one more than there are for the last ones. */
function base85(bytes: Buffer): string {
  const padding = (4 - (bytes.length % 4)) % 4;
  const padded = Buffer.concat([bytes, Buffer.alloc(padding)]);
  let digits = '';
  for (let start = 0; start < padded.length; start += 4) {
    const word = padded.readUInt32BE(start);
    for (const weight of [85 ** 4, 85 ** 3, 85 ** 2, 85, 1]) digits += DIGITS[Math.floor(word / weight) % 85];
  }
  return digits.slice(0, digits.length - padding);
}
