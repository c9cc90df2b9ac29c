/** A line as Python counts them: to its end, over the line breaks in its brackets and after its backslashes. */
export interface LogicalLine {
  /** Width of the white space before it. */
  indentation: number;
  /** One or more, without comments and white space. A dotted name is one token, and so is a string. */
  tokens: string[];
}

const STRING = [
  String.raw`"""(?:\\[^]|[^\\])*?"""`,
  String.raw`'''(?:\\[^]|[^\\])*?'''`,
  String.raw`"(?:\\[^]|[^"\\\n])*"`,
  String.raw`'(?:\\[^]|[^'\\\n])*'`,
].join('|');
const WORD = String.raw`[\w.\u0080-\uffff]`;
const TOKEN = [
  String.raw`(?<skipped>[ \t\f\r]+|#[^\n]*|\\\r?\n)`,
  String.raw`(?<lineBreak>\n)`,
  `(?:[rR][bBfF]?|[bBfF][rR]?|[uU])?(?:${STRING})`,
  `${WORD}+`,
  '->',
  '[^]',
].join('|');
const DOCSTRING = new RegExp(`^[rRuU]?(?:${STRING})$`);
const TYPE_CHECKING = ['if TYPE_CHECKING :', 'if typing.TYPE_CHECKING :'];
/** No name, though a colon may follow at once. */
const KEYWORDS = ['else', 'except', 'finally', 'lambda', 'try'];
/** Between which only a space keeps two tokens apart. */
const [ENDS_IN_WORD, STARTS_WITH_WORD] = [new RegExp(`${WORD}$`), new RegExp(`^${WORD}`)];
const [ENDS_IN_QUOTE, STARTS_WITH_QUOTE] = [/["']$/, /^["']/];

/** @param text of a module that Python 3.9 compiles. */
export function logicalLines(text: string): LogicalLine[] {
  const lines: LogicalLine[] = [];
  let [depth, lineStart, indentation] = [0, 0, 0];
  let tokens: string[] = [];
  for (const { 0: token, index, groups } of `${text}\n`.matchAll(new RegExp(TOKEN, 'gy'))) {
    if (groups?.skipped !== undefined) continue;
    if (groups?.lineBreak !== undefined) {
      if (depth > 0) continue;
      if (tokens.length > 0) lines.push({ indentation, tokens });
      tokens = [];
      lineStart = index + 1;
      continue;
    }
    if (tokens.length === 0) indentation = index - lineStart;
    tokens.push(token);
    depth += depthChange(token);
  }
  return lines;
}

/**
 * The same program in fewer bytes: without comments, docstrings, `if TYPE_CHECKING:` blocks, the annotations of
 * functions and their variables, and the white space that only people need.
 */
export function stripPython(text: string): string {
  const blocks = [{ indentation: 0, ofFunction: false }];
  let stripped = '';
  let opener = '';
  for (const { indentation, tokens } of fillEmptyBodies(withoutDocstrings(withoutTypeChecking(logicalLines(text))))) {
    while ((blocks.at(-1)?.indentation ?? 0) > indentation) blocks.pop();
    const block = blocks.at(-1);
    if (block !== undefined && indentation > block.indentation)
      blocks.push({ indentation, ofFunction: opener === 'def' || (opener !== 'class' && block.ofFunction) });
    opener = openerOf(tokens);
    const kept = opener === 'def' ? withoutSignatureTypes(tokens) : tokens;
    const line = blocks.at(-1)?.ofFunction ? withoutVariableType(kept) : kept;
    stripped += `${' '.repeat(blocks.length - 1)}${join(line)}\n`;
  }
  return stripped;
}

function depthChange(token: string): number {
  return '([{'.includes(token) ? 1 : ')]}'.includes(token) ? -1 : 0;
}

const openerOf = (tokens: string[]) => (tokens[0] === 'async' ? tokens[1] : tokens[0]) ?? '';

function withoutTypeChecking(lines: LogicalLine[]): LogicalLine[] {
  let inside: number | undefined;
  return lines.filter(({ indentation, tokens }) => {
    if (inside !== undefined && indentation > inside) return false;
    inside = TYPE_CHECKING.includes(tokens.join(' ')) ? indentation : undefined;
    return inside === undefined;
  });
}

/** Of modules, classes and functions: the first line of each, if that is nothing but strings. */
function withoutDocstrings(lines: LogicalLine[]): LogicalLine[] {
  return lines.filter(({ tokens }, index) => {
    const before = lines[index - 1]?.tokens ?? ['class', ':'];
    const first = ['class', 'def'].includes(openerOf(before)) && before.at(-1) === ':';
    return !first || !tokens.every((token) => DOCSTRING.test(token));
  });
}

function fillEmptyBodies(lines: LogicalLine[]): LogicalLine[] {
  return lines.flatMap((line, index) => {
    const empty = line.tokens.at(-1) === ':' && (lines[index + 1]?.indentation ?? 0) <= line.indentation;
    return empty ? [line, { indentation: line.indentation + 1, tokens: ['pass'] }] : [line];
  });
}

/** `def f(a: int = 1) -> str:` → `def f(a = 1):`. */
function withoutSignatureTypes(tokens: string[]): string[] {
  // A lambda among the defaults has colons and commas of its own.
  if (tokens.includes('lambda')) return tokens;
  const end = indexOutside(tokens, ':');
  const signature = tokens.slice(0, end);
  const arrow = signature.indexOf('->');
  let depth = 0;
  let isType = false;
  const kept = signature.slice(0, arrow < 0 ? end : arrow).filter((token) => {
    depth += depthChange(token);
    if (depth === 1 && token === ':') isType = true;
    if (depth === 0 || (depth === 1 && (token === ',' || token === '='))) isType = false;
    return !isType;
  });
  return [...kept, ...tokens.slice(end)];
}

/** `name: int = 1` → `name = 1`, in a function, where nothing ever reads the annotation. */
function withoutVariableType(tokens: string[]): string[] {
  const [name = '', colon] = tokens;
  const equals = indexOutside(tokens, '=');
  return colon === ':' && equals > 0 && !KEYWORDS.includes(name) ? [name, ...tokens.slice(equals)] : tokens;
}

/** Of the first such token outside of all brackets. */
function indexOutside(tokens: string[], wanted: string): number {
  let depth = 0;
  return tokens.findIndex((token) => {
    depth += depthChange(token);
    return depth === 0 && token === wanted;
  });
}

function join(tokens: string[]): string {
  return tokens.reduce((line, token, index) => {
    const before = tokens[index - 1] ?? '';
    const apart =
      (ENDS_IN_WORD.test(before) && STARTS_WITH_WORD.test(token)) ||
      (ENDS_IN_QUOTE.test(before) && STARTS_WITH_QUOTE.test(token));
    return `${line}${apart ? ' ' : ''}${token}`;
  }, '');
}
