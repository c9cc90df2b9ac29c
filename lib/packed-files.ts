import { compress } from 'lzma1';

/** Ends the archive in the script. */
const END_OF_FILE = 'HOLDFAST_END_OF_FILE';
/** Visible ASCII, but for what JSON escapes and for the bracket of which SSM takes two for one of its parameters. */
const NO_DIGITS = ['"', '\\', '{'].map((character) => character.charCodeAt(0));
const DIGITS = String.fromCharCode(...Array.from({ length: 94 }, (_, at) => 33 + at).filter(isDigit));
/** CloudFormation takes 1,024 bytes for a value of a mapping. A line of digits is one number. */
const [LINE_DIGITS, LINE_BYTES] = [1000, 813];
/** So many digits are still a safe integer: only these are divided one by one. */
const SAFE_DIGITS = Math.floor(Math.log(Number.MAX_SAFE_INTEGER) / Math.log(DIGITS.length));
const SAFE = BigInt(DIGITS.length ** SAFE_DIGITS);
/** With size and settings of an LZMA archive: what differs between programs of different length. */
const HEADER_BYTES = 13;
/** Two megabytes may lie between what is alike. */
const COMPRESSION_MODE = 5;
const WORD = /[A-Za-z]{2,}/g;
/** Of the first word: no ASCII. */
const FIRST_CODE = 128;
/** Python unpacks what Python runs, and no other tool has to be on the host. */
const UNPACK = `/usr/bin/python3 -I -c 'import lzma, os, sys
digits, data = "".join(map(chr, sorted({*range(33, 127)} - {${NO_DIGITS.join(', ')}}))), b""
for line in sys.stdin.read().split():
    number = 0
    for digit in line:
        number = number * ${DIGITS.length} + digits.index(digit)
    data += number.to_bytes(len(line) * ${LINE_BYTES} // ${LINE_DIGITS}, "big")
words, *parts = lzma.decompress(data[-${HEADER_BYTES}:] + data[:-${HEADER_BYTES}]).decode().split("\\0")
words = dict(enumerate(words.split(), ${FIRST_CODE}))
parts = (part.translate(words) for part in parts)
for path, text in zip(parts, parts):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w") as file:
        file.write(text)' <<'${END_OF_FILE}'`;

/** Path and content, in ASCII, without NUL, which stands between them in the archive. */
export type File = readonly [path: string, text: string];

/**
 * Lines of a script that write the files into the working directory, where they may need folders. Archives of the same
 * first files begin with the same lines, whatever other files follow, since LZMA goes from the front to the end.
 *
 * Of a word that the first files have more than once the archive has a number, which makes it a twentieth smaller.
 *
 * @throws Error for a text that is not ASCII.
 */
export function packed(first: readonly File[], others: readonly File[]): string[] {
  const files = [...first, ...others];
  for (const [path, text] of files) {
    if (/[^\t\n -~]/.test(text)) throw new Error(`${path}: only ASCII can be packed`);
  }
  const words = repeated(first.flatMap(([, text]) => text.match(WORD) ?? []));
  const codes = new Map(words.map((word, at) => [word, String.fromCodePoint(FIRST_CODE + at)]));
  const coded = files.flat().map((part) => part.replace(WORD, (word) => codes.get(word) ?? word));
  const archive = compress(Buffer.from([words.join(' '), ...coded].join('\0')), COMPRESSION_MODE);
  const data = Buffer.concat([archive.subarray(HEADER_BYTES), archive.subarray(0, HEADER_BYTES)]);
  const lines = Array.from({ length: Math.ceil(data.length / LINE_BYTES) }, (_, at) => at * LINE_BYTES);
  return [...UNPACK.split('\n'), ...lines.map((at) => inDigits(data.subarray(at, at + LINE_BYTES))), END_OF_FILE];
}

function isDigit(code: number): boolean {
  return !NO_DIGITS.includes(code);
}

/** In their order. */
function repeated(words: readonly string[]): string[] {
  const sorted = words.toSorted();
  return [...new Set(sorted.filter((word, at) => word === sorted[at + 1]))];
}

/** As few as all numbers of so many bytes need. */
function inDigits(bytes: Buffer): string {
  const length = Math.ceil((bytes.length * LINE_DIGITS) / LINE_BYTES);
  const digits: string[] = [];
  for (let number = BigInt(`0x${bytes.toString('hex')}`); digits.length < length; number /= SAFE) {
    let part = Number(number % SAFE);
    for (let place = 0; place < SAFE_DIGITS; place++) {
      digits.push(DIGITS.charAt(part % DIGITS.length));
      part = Math.floor(part / DIGITS.length);
    }
  }
  return digits.slice(0, length).reverse().join('');
}
