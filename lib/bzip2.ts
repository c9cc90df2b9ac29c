/**
 * The format of bzip2: an eighth smaller than deflate for our program, and Python unpacks it by itself. Nothing in Node
 * writes it. One block, of at most 900,000 bytes: runs shortened → sorted by what follows (Burrows-Wheeler) → moved to
 * front → runs of zeros in binary → Huffman, with six tables of which each stretch of 50 symbols has one.
 */
const BLOCK_BYTES = 900_000 - 19;
const STRETCH = 50;
const TABLES = [0, 1, 2, 3, 4, 5];
const ITERATIONS = 10;
const LONGEST_CODE = 17;

/** @throws Error for more than one block. */
export function bzip2(content: Uint8Array): Uint8Array {
  const bits = new Bits();
  bits.bytes(Buffer.from('BZh9'));
  const crc = crcOf(content);
  if (content.length > 0) {
    const block = shortenRuns(content);
    if (block.length > BLOCK_BYTES) throw new Error(`bzip2: ${block.length} bytes are more than one block`);
    const { last, start } = sortedByWhatFollows(block);
    const used = [...new Set(block)].sort((one, other) => one - other);
    const symbols = zeroRunsInBinary(movedToFront(last, used), used.length + 1);
    bits.bytes(Buffer.from('314159265359', 'hex'));
    bits.write(crc >>> 16, 16);
    bits.write(crc & 0xffff, 16);
    bits.write(0, 1);
    bits.write(start, 24);
    writeUsed(bits, used);
    writeSymbols(bits, symbols, used.length + 2);
  }
  bits.bytes(Buffer.from('177245385090', 'hex'));
  bits.write(crc >>> 16, 16);
  bits.write(crc & 0xffff, 16);
  return bits.done();
}

/** The highest bit first. */
class Bits {
  readonly #bytes: number[] = [];
  #free = 0;

  write(value: number, count: number): void {
    for (let bit = count - 1; bit >= 0; bit--) {
      if (this.#free === 0) {
        this.#bytes.push(0);
        this.#free = 8;
      }
      this.#free--;
      this.#bytes[this.#bytes.length - 1] = (this.#bytes.at(-1) ?? 0) | (((value >>> bit) & 1) << this.#free);
    }
  }

  bytes(values: Uint8Array): void {
    for (const value of values) this.write(value, 8);
  }

  done(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

function crcOf(content: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of content) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return ~crc >>> 0;
}

/** Of 4 to 255 equal bytes, four and the number of the others. */
function shortenRuns(content: Uint8Array): Uint8Array {
  const block: number[] = [];
  for (let at = 0; at < content.length; ) {
    const byte = content[at] ?? 0;
    let length = 1;
    while (length < 255 && content[at + length] === byte) length++;
    for (let copy = 0; copy < Math.min(length, 4); copy++) block.push(byte);
    if (length >= 4) block.push(length - 4);
    at += length;
  }
  return Uint8Array.from(block);
}

/** The last column of all rotations of the block in their order, and the row in which the block itself stands. */
function sortedByWhatFollows(block: Uint8Array): { last: Uint8Array; start: number } {
  const size = block.length;
  const at = (position: number) => block[position % size] ?? 0;
  // Four bytes at once, as a number.
  const words = Float64Array.from(block, (_, position) =>
    [0, 1, 2, 3].reduce((word, offset) => word * 256 + at(position + offset), 0),
  );
  const order = Uint32Array.from(block.keys()).sort((one, other) => {
    for (let done = 0; done < size; done += 4) {
      const difference = (words[(one + done) % size] ?? 0) - (words[(other + done) % size] ?? 0);
      if (difference !== 0) return difference;
    }
    return 0;
  });
  return { last: Uint8Array.from(order, (position) => at(position + size - 1)), start: order.indexOf(0) };
}

/** The place of each value among the values, the latest first. */
function movedToFront(values: ArrayLike<number>, all: readonly number[]): number[] {
  const latest = [...all];
  return Array.from(values, (value) => {
    const place = latest.indexOf(value);
    latest.splice(place, 1);
    latest.unshift(value);
    return place;
  });
}

/** Zeros as their number in digits 1 and 2 (symbols 0 and 1); every other place one higher; the end. */
function zeroRunsInBinary(places: readonly number[], end: number): number[] {
  const symbols: number[] = [];
  let zeros = 0;
  for (const place of [...places, -1]) {
    if (place === 0) {
      zeros++;
      continue;
    }
    for (; zeros > 0; zeros = (zeros - 1) >> 1) symbols.push((zeros - 1) & 1);
    if (place > 0) symbols.push(place + 1);
  }
  return [...symbols, end];
}

function writeUsed(bits: Bits, used: readonly number[]): void {
  const sixteen = [...Array(16).keys()];
  const uses = (from: number, to: number) => used.some((byte) => byte >= from && byte < to);
  const groups = sixteen.filter((group) => uses(group * 16, group * 16 + 16));
  for (const group of sixteen) bits.write(Number(groups.includes(group)), 1);
  for (const group of groups) {
    for (const byte of sixteen) bits.write(Number(used.includes(group * 16 + byte)), 1);
  }
}

function writeSymbols(bits: Bits, symbols: readonly number[], alphabet: number): void {
  const { tables, selectors } = codingOf(symbols, alphabet);
  bits.write(TABLES.length, 3);
  bits.write(selectors.length, 15);
  for (const place of movedToFront(selectors, TABLES)) bits.write(2 ** (place + 1) - 2, place + 1);
  for (const lengths of tables) writeLengths(bits, lengths);
  const codes = tables.map(codesOf);
  for (const [at, symbol] of symbols.entries()) {
    const table = selectors[Math.floor(at / STRETCH)] ?? 0;
    bits.write(codes[table]?.[symbol] ?? 0, tables[table]?.[symbol] ?? 0);
  }
}

/** Lengths of the codes by symbol, six tables; and the table of each stretch. These make those, and so on. */
function codingOf(symbols: readonly number[], alphabet: number): { tables: number[][]; selectors: number[] } {
  const stretches = Array.from({ length: Math.ceil(symbols.length / STRETCH) }, (_, at) =>
    symbols.slice(at * STRETCH, (at + 1) * STRETCH),
  );
  let tables = firstTables(countsOf(symbols, alphabet), symbols.length);
  let selectors: number[] = [];
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    selectors = stretches.map((stretch) => {
      const sizes = tables.map((lengths) => stretch.reduce((sum, symbol) => sum + (lengths[symbol] ?? 0), 0));
      return sizes.indexOf(Math.min(...sizes));
    });
    tables = TABLES.map((table) => {
      const own = stretches.filter((_, at) => selectors[at] === table);
      return codeLengths(countsOf(own.flat(), alphabet));
    });
  }
  return { tables, selectors };
}

function countsOf(symbols: readonly number[], alphabet: number): number[] {
  const counts = new Array<number>(alphabet).fill(0);
  for (const symbol of symbols) counts[symbol] = (counts[symbol] ?? 0) + 1;
  return counts;
}

/** Each prefers a share of the alphabet, all shares being about as frequent. */
function firstTables(counts: readonly number[], total: number): number[][] {
  let before = 0;
  const shares = counts.map((count) => {
    const share = Math.floor((before * TABLES.length) / total);
    before += count;
    return share;
  });
  return TABLES.map((table) => shares.map((share) => (share === table ? 0 : 15)));
}

/** Huffman's; every symbol has one. Counts are flattened until no code is too long. */
function codeLengths(counts: readonly number[]): number[] {
  interface Node {
    weight: number;
    symbols: number[];
  }
  const lengths = new Array<number>(counts.length).fill(0);
  let nodes: Node[] = counts.map((weight, symbol) => ({ weight: Math.max(1, weight), symbols: [symbol] }));
  while (nodes.length > 1) {
    nodes.sort((one, other) => other.weight - one.weight);
    const [one, other] = [nodes.pop(), nodes.pop()];
    if (one === undefined || other === undefined) break;
    const symbols = [...one.symbols, ...other.symbols];
    for (const symbol of symbols) lengths[symbol] = (lengths[symbol] ?? 0) + 1;
    nodes = [...nodes, { weight: one.weight + other.weight, symbols }];
  }
  return Math.max(...lengths) <= LONGEST_CODE ? lengths : codeLengths(counts.map((count) => 1 + (count >> 1)));
}

/** Codes of the same length are consecutive numbers, the shorter ones first. */
function codesOf(lengths: readonly number[]): number[] {
  const codes = new Array<number>(lengths.length).fill(0);
  let code = 0;
  for (let length = 1; length <= LONGEST_CODE; length++) {
    for (const [symbol, own] of lengths.entries()) if (own === length) codes[symbol] = code++;
    code <<= 1;
  }
  return codes;
}

/** The first, and how each differs from the one before it. */
function writeLengths(bits: Bits, lengths: readonly number[]): void {
  let current = lengths[0] ?? 1;
  bits.write(current, 5);
  for (const length of lengths) {
    for (; current < length; current++) bits.write(0b10, 2);
    for (; current > length; current--) bits.write(0b11, 2);
    bits.write(0, 1);
  }
}
