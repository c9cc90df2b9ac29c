/** Python literals as `ruff format` lays them out, so that a module that is written here passes the same checks. */
const LINE_LENGTH = 120;
const INDENT = '    ';

export type Python =
  | { type: 'string'; prefix: '' | 'r'; content: string }
  | { type: 'collection'; brackets: readonly [open: string, close: string]; items: readonly Item[] };
interface Item {
  key: string;
  value: Python;
}

/** @throws Error for a character that would need an escape, which no text of ours has. */
export function text(content: string): Python {
  return string('', content, /["\\\p{C}]/u);
}

/** `r"…"`, for patterns. */
export function raw(content: string): Python {
  return string('r', content, /["\p{C}]|\\$/u);
}

export function tuple(values: readonly Python[]): Python {
  return collection(['(', ')'], values);
}

export function list(values: readonly Python[]): Python {
  return collection(['[', ']'], values);
}

export function dict(entries: readonly (readonly [string, Python])[]): Python {
  const items = entries.map(([key, value]) => ({ key: `"${key}": `, value }));
  return { type: 'collection', brackets: ['{', '}'], items };
}

/** `name = value`. */
export function written(name: string, value: Python): string {
  return lines(`${name} = `, value, '').join('\n');
}

function string(prefix: '' | 'r', content: string, refused: RegExp): Python {
  if (refused.test(content)) throw new Error(`not written as a Python string: ${content}`);
  return { type: 'string', prefix, content };
}

function collection(brackets: readonly [string, string], values: readonly Python[]): Python {
  return { type: 'collection', brackets, items: values.map((value) => ({ key: '', value })) };
}

/** On one line if it fits, else an item a line. */
function lines(before: string, value: Python, after: string): string[] {
  const whole = `${before}${onOneLine(value)}${after}`;
  if (whole.length <= LINE_LENGTH) return [whole];
  const indent = /^ */.exec(before)?.[0] ?? '';
  if (value.type === 'string') {
    // Strings one below the other are one; behind a name or a key they stand in brackets.
    if (before === indent) return pieces(indent, value, after);
    return [`${before}(`, ...pieces(`${indent}${INDENT}`, value, ''), `${indent})${after}`];
  }
  const [open, close] = value.brackets;
  const inner = value.items.flatMap(({ key, value: item }) => lines(`${indent}${INDENT}${key}`, item, ','));
  return [`${before}${open}`, ...inner, `${indent}${close}${after}`];
}

function onOneLine(value: Python): string {
  if (value.type === 'string') return `${value.prefix}"${value.content}"`;
  const [open, close] = value.brackets;
  return `${open}${value.items.map(({ key, value: item }) => `${key}${onOneLine(item)}`).join(', ')}${close}`;
}

function pieces(before: string, { prefix, content }: Python & { type: 'string' }, after: string): string[] {
  const most = LINE_LENGTH - before.length - prefix.length - '""'.length - after.length;
  const [rest, part] = [`.{1,${most}}$`, `.{1,${most}}`];
  // After a space or a bar where there is one.
  const parts = content.match(new RegExp(`${rest}|${part}(?<=[ |])|${part}`, 'gu')) ?? [];
  return parts.map((part, index) => `${before}${prefix}"${part}"${index === parts.length - 1 ? after : ''}`);
}
