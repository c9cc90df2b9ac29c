import { type Document, isAlias, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';

/** Where a field stands in a file, both from 1. */
export interface Place {
  line: number;
  column: number;
}

/** Something in a file that is not read, and where it stands. */
export interface Complaint extends Place {
  message: string;
  allowed: string;
}

/** A file as `yaml` reads it; JSON is YAML too, so that the places of its fields are found the same way. */
export interface ReadText {
  /** The same as JSON, numbers as they are written. */
  json: string;
  complaints: Complaint[];
  /** Of a field of the API (`faults.0.action`), or of what holds it where it is missing. */
  placeOf(field: string): Place;
  /** Of an offset in the text. */
  placeAt(offset: number): Place;
}

const MERGE_KEY = '<<';
const CORE_TAGS = 'tag:yaml.org,2002:';
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/;

/** What the parser makes of it when it has called itself too often: its stack is full. */
const STACK_IS_FULL = /call stack size exceeded|stack overflow/i;

/**
 * Reads YAML 1.2, but nothing in it by which two readers could take one text for two different things.
 * @throws RangeError when it is nested deeper than the parser can read
 */
export function readYaml(text: string): ReadText {
  const counter = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: counter,
    prettyErrors: false,
    // What is given twice is found where JSON is read.
    uniqueKeys: false,
    logLevel: 'error',
  });
  if (document.errors.some(({ message }) => STACK_IS_FULL.test(message))) throw new RangeError('nested too deep');
  const placeAt = (offset: number): Place => {
    const { line, col } = counter.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const complaints: Complaint[] = document.errors.map(({ message, pos }) => ({
    ...placeAt(pos[0]),
    message: `is not YAML: ${message}`,
    allowed: 'one YAML or JSON document',
  }));
  const note = (offset: number, what: string, allowed: string): void => {
    complaints.push({ ...placeAt(offset), message: what, allowed });
  };
  if (hasDirectives(document))
    note(0, 'has a directive (%), which changes what the rest means', 'YAML without directives');
  const offsets = new Map<string, number>();
  const json = jsonOf(document.contents, [], { offsets, note });
  return {
    json,
    complaints,
    placeAt,
    placeOf: (field) => {
      let path = field;
      while (path !== '' && !offsets.has(path)) path = path.slice(0, Math.max(0, path.lastIndexOf('.')));
      return placeAt(offsets.get(path) ?? 0);
    },
  };
}

function hasDirectives({ directives }: Document.Parsed): boolean {
  return directives.yaml.explicit === true || Object.keys(directives.tags).some((handle) => handle !== '!!');
}

interface Notes {
  offsets: Map<string, number>;
  note(offset: number, what: string, allowed: string): void;
}

function jsonOf(node: Node | null, path: readonly string[], notes: Notes): string {
  const offset = node?.range?.[0] ?? 0;
  if (!notes.offsets.has(path.join('.'))) notes.offsets.set(path.join('.'), offset);
  if (isAlias(node)) notes.note(offset, `*${node.source} is an alias`, 'the value itself');
  else if (node?.anchor) notes.note(offset, `&${node.anchor} is an anchor`, 'the value itself');
  if (node?.tag !== undefined && !isAlias(node))
    notes.note(offset, `${node.tag.replace(CORE_TAGS, '!!')} is a tag`, 'values without tags');
  if (isMap(node)) {
    const members = node.items.map((pair) => {
      const name = isPair(pair) ? nameOf(pair.key as Node | null, offset, notes) : '';
      const inner = [...path, name];
      const keyOffset = (pair.key as Node | null)?.range?.[0];
      // The last of two, because that is the one too many.
      if (keyOffset !== undefined) notes.offsets.set(inner.join('.'), keyOffset);
      return `${JSON.stringify(name)}:${jsonOf(pair.value as Node | null, inner, notes)}`;
    });
    return `{${members.join(',')}}`;
  }
  if (isSeq(node)) {
    return `[${node.items.map((item, position) => jsonOf(item as Node | null, [...path, String(position)], notes)).join(',')}]`;
  }
  if (!isScalar(node)) return 'null';
  const { value, source = '' } = node;
  if (typeof value !== 'number' && typeof value !== 'bigint') return JSON.stringify(value);
  if (NUMBER.test(source)) return source;
  notes.note(
    offset,
    `${source} is a number to some readers of YAML and something else to others`,
    'digits as in JSON; text in quotes',
  );
  return '0';
}

function nameOf(key: Node | null, fallback: number, notes: Notes): string {
  const offset = key?.range?.[0] ?? fallback;
  if (isScalar(key) && key.tag === undefined && !key.anchor && typeof key.value === 'string') {
    if (key.value === MERGE_KEY) notes.note(offset, '<< is a merge key', 'the fields themselves');
    return key.value;
  }
  notes.note(offset, 'is not a name', 'names of fields, as text without anchor, alias and tag');
  return '';
}
