import { globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { type Diagnostic, PositionEncoding, Workspace } from '@astral-sh/ruff-wasm-nodejs';
import { parse } from 'smol-toml';

/**
 * `lint-python.ts [--write] [PATH...]`: ruff's lint and ruff's format over the Python files of this checkout, or over those
 * named and in the folders named. With --write it formats them and sorts their imports first.
 *
 * Ruff is its WebAssembly build, which npm installs everywhere, with the settings of ruff.toml. It knows texts, not paths.
 */
const CHECKOUT = resolve(import.meta.dirname, '..');
const OURS = ['host', 'lab', 'test'].map((folder) => resolve(CHECKOUT, folder));

const settings = parse(readFileSync(resolve(CHECKOUT, 'ruff.toml'), 'utf8'));
// A column is then an index into a string of JavaScript.
const ruff = new Workspace(settings, PositionEncoding.Utf16);

function check(source: string): Diagnostic[] {
  return ruff.check(source);
}

function pythonFiles(paths: readonly string[]): string[] {
  return paths.flatMap((path) =>
    statSync(path).isDirectory() ? globSync('**/*.py', { cwd: path }).map((file) => resolve(path, file)) : [path],
  );
}

/** Ruff's order of imports is a rule of its lint, not of its format: the edits that it proposes. */
function withSortedImports(source: string): string {
  const lines = source.split('\n');
  const edits = check(source)
    .filter(({ code }) => code === 'I001')
    .flatMap(({ fix }) => fix?.edits ?? [])
    .toSorted((one, other) => other.location.row - one.location.row);
  for (const { content, location, end_location: end } of edits) {
    const [first = '', last = ''] = [lines[location.row - 1], lines[end.row - 1]];
    const text = first.slice(0, location.column - 1) + (content ?? '') + last.slice(end.column - 1);
    lines.splice(location.row - 1, end.row - location.row + 1, ...text.split('\n'));
  }
  return lines.join('\n');
}

function write(path: string): void {
  const source = readFileSync(path, 'utf8');
  const isWrong = check(source).some(({ code }) => code === 'invalid-syntax');
  const formatted = isWrong ? source : ruff.format(withSortedImports(source));
  if (formatted !== source) writeFileSync(path, formatted);
}

/** One line for each finding, as ruff prints them with `--output-format concise`. */
function findings(path: string): string[] {
  const source = readFileSync(path, 'utf8');
  const name = relative(process.cwd(), path);
  const found = check(source).map(
    ({ start_location: { row, column }, code, message }) => `${name}:${row}:${column}: ${code} ${message}`,
  );
  if (found.some((line) => line.includes(': invalid-syntax '))) return found;
  const formatted = ruff.format(source);
  if (formatted === source) return found;
  const lines = formatted.split('\n');
  const row = source.split('\n').findIndex((line, index) => line !== lines[index]) + 1;
  return [...found, `${name}:${row}:1: format Would be reformatted from here on (--write does it)`];
}

const words = process.argv.slice(2);
const paths = words.filter((word) => word !== '--write');
const files = pythonFiles(paths.length === 0 ? OURS : paths).toSorted();
if (words.includes('--write')) for (const file of files) write(file);
const lines = files.flatMap(findings);
for (const line of lines) console.log(line);
console.log(`ruff ${Workspace.version()}: ${lines.length} findings in ${files.length} Python files`);
// To have looked at nothing is no success.
process.exitCode = lines.length > 0 || files.length === 0 ? 1 : 0;
