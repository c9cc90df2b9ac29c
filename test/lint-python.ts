import { globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { Diagnostic } from '@astral-sh/ruff-wasm-nodejs';
import { parse } from 'smol-toml';
import pyright from '../pyrightconfig.json' with { type: 'json' };

/**
 * `lint-python.ts [--write] [PATH...]`: ruff's lint and ruff's format over the Python files that Pyright checks, or over those
 * named and in the folders named. With --write it formats them and sorts their imports first.
 *
 * Ruff is its WebAssembly build, which npm installs everywhere, with the settings of ruff.toml. It knows texts, not paths.
 */
const CHECKOUT = resolve(import.meta.dirname, '..');
const SYNTAX = 'invalid-syntax';

// Else V8 optimizes ruff for seconds, and a process waits for that at its end; all the work takes half a second without.
for (const flag of ['--no-wasm-tier-up', '--no-wasm-dynamic-tiering']) setFlagsFromString(flag);
const { PositionEncoding, Workspace } = await import('@astral-sh/ruff-wasm-nodejs');
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

/** The order of imports is a rule of ruff's lint, not of its format: what the rule proposes, from the last line up. */
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
  if (check(source).some(({ code }) => code === SYNTAX)) return;
  const formatted = ruff.format(withSortedImports(source));
  if (formatted !== source) writeFileSync(path, formatted);
}

/** One line for each finding, as ruff prints them with `--output-format concise`. */
function findings(path: string): string[] {
  const source = readFileSync(path, 'utf8');
  const name = relative(process.cwd(), path);
  const found = check(source);
  const said = found.map(
    ({ start_location: { row, column }, code, message }) => `${name}:${row}:${column}: ${code} ${message}`,
  );
  if (found.some(({ code }) => code === SYNTAX) || ruff.format(source) === source) return said;
  const formatted = ruff.format(source).split('\n');
  const row = source.split('\n').findIndex((line, index) => line !== formatted[index]) + 1;
  return [...said, `${name}:${Math.max(row, 1)}:1: format Would be reformatted (--write does it), first here`];
}

const words = process.argv.slice(2);
const paths = words.filter((word) => word !== '--write');
const files = pythonFiles(paths.length > 0 ? paths : pyright.include.map((folder) => resolve(CHECKOUT, folder)));
if (words.includes('--write')) files.forEach(write);
const lines = files.toSorted().flatMap(findings);
for (const line of lines) console.log(line);
console.log(`ruff ${Workspace.version()}: ${files.length} Python files, ${lines.length} findings`);
// To have looked at nothing is no success.
process.exitCode = lines.length > 0 || files.length === 0 ? 1 : 0;
