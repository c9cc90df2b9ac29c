import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { RequestedExperiment } from '../functions/domain/experiment.ts';
import { parseExperiment } from '../functions/domain/parse-experiment.ts';
import { readStrictJson } from '../functions/domain/strict-json.ts';
import { message, UsageError } from './exit-codes.ts';
import { jsonErrorOffset } from './json-error.ts';
import { printable } from './render.ts';
import { type Place, type ReadText, readYaml } from './yaml-text.ts';

/** Far more than the API takes: a file of that size is something else. */
const MAX_FILE_BYTES = 1024 * 1024;

/** Of one file; whoever has that many looks at the first ones. */
const MAX_ERRORS_SHOWN = 20;

/** One thing that is wrong in a file. */
export interface FileError extends Place {
  field: string;
  message: string;
  allowed: string;
}

/** A file with things in it that are wrong; the message has a line for each of the first ones. */
export class InvalidFile extends UsageError {
  readonly errors: readonly FileError[];

  constructor(file: string, errors: readonly FileError[]) {
    const more = errors.length - MAX_ERRORS_SHOWN;
    const shown = errors.slice(0, MAX_ERRORS_SHOWN).map((error) => errorLine(file, error));
    super([...shown, ...(more > 0 ? [printable(`${file}: and ${more} more`)] : [])].join('\n'));
    this.errors = errors;
  }
}

export interface ExperimentText {
  /** As it was named by the user. */
  file: string;
  /** What is posted: a JSON file as it stands, YAML as JSON. */
  payload: string;
  experimentId: string;
  placeOf(field: string): Place;
  /** `FILE:LINE:COLUMN: ` of a field. */
  where(field: string): string;
}

/**
 * Reads `FILE.yaml`, `FILE.yml` or JSON. What it says is not looked at, but for the experimentId, without which the API
 * could not be asked about it.
 * @throws UsageError, a line for each thing that is wrong, when it cannot be read or two readers could read two things.
 */
export function readExperimentText(file: string): ExperimentText {
  const text = readText(file);
  const { json, errors, placeOf } = /\.ya?ml$/i.test(file) ? fromYaml(text) : fromJson(text);
  const strict = errors.length > 0 ? undefined : readStrictJson(json);
  if (strict?.ok === false) errors.push(...strict.errors.map((error) => ({ ...placeOf(error.field), ...error })));
  if (!strict?.ok) throw new InvalidFile(file, errors);
  const { experimentId } = strict.value;
  if (typeof experimentId !== 'string' || experimentId === '') {
    const wrong = { field: 'experimentId', message: 'is no text', allowed: 'a text that is not empty' };
    throw new InvalidFile(file, [{ ...placeOf('experimentId'), ...wrong }]);
  }
  return { file, payload: json, experimentId, placeOf, where: (field) => `${linkOf(file, placeOf(field))}: ` };
}

/** Judges it as the API does, as far as this needs no deployment: what clusters allow is not known here. */
export function checkExperiment(
  read: ExperimentText,
): { ok: true; experiment: RequestedExperiment } | { ok: false; errors: FileError[] } {
  const parsed = parseExperiment(read.payload, {});
  if (parsed.ok) return parsed;
  const { errors, detail } = parsed.problem;
  const found = errors ?? [{ field: '(body)', message: detail, allowed: 'a smaller file' }];
  const located = found.map((error) => ({ ...read.placeOf(error.field), ...error }));
  return { ok: false, errors: located.sort((a, b) => a.line - b.line || a.column - b.column) };
}

/** @throws UsageError with everything that is wrong in the file, before anything is sent. */
export function readExperiment(file: string): ExperimentText & { experiment: RequestedExperiment } {
  const read = readExperimentText(file);
  const checked = checkExperiment(read);
  if (!checked.ok) throw new InvalidFile(file, checked.errors);
  return { ...read, experiment: checked.experiment };
}

function errorLine(file: string, error: FileError): string {
  return printable(`${linkOf(file, error)}: ${error.field}: ${error.message} (allowed: ${error.allowed})`);
}

/** In the form that editors and terminals make a link of. */
function linkOf(file: string, { line, column }: Place): string {
  return `${file}:${line}:${column}`;
}

function readText(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new UsageError(`${resolve(file)}: ${message(error)}`);
  }
  if (bytes.length > MAX_FILE_BYTES)
    throw new UsageError(`${file}: has ${bytes.length} bytes, too many for an experiment`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new UsageError(`${file}: is not UTF-8 text`);
  }
  if (text.trim() === '') throw new UsageError(`${file}: is empty; allowed: one experiment, YAML or JSON`);
  if (text.startsWith('\uFEFF')) throw new UsageError(`${file}:1:1: begins with a byte order mark; save it without`);
  return text;
}

interface Read {
  json: string;
  errors: FileError[];
  placeOf(field: string): Place;
}

function fromYaml(text: string): Read {
  const read = readNested(text);
  if (!read) return tooDeep(text);
  const errors = read.complaints.map((complaint) => ({ field: '(file)', ...complaint }));
  return { json: read.json, errors, placeOf: read.placeOf };
}

/** JSON goes through the parser of YAML only to find the places of its fields; what it means JSON's own rules say. */
function fromJson(text: string): Read {
  const read = readNested(text);
  if (!read) return tooDeep(text);
  try {
    JSON.parse(text);
    return { json: text, errors: [], placeOf: read.placeOf };
  } catch (error) {
    const what = message(error).replace(/ at position \d+.*$/, '');
    const place = read.placeAt(jsonErrorOffset(text));
    const wrong = {
      field: '(file)',
      message: `is not JSON: ${what}`,
      allowed: 'one JSON object; YAML in a file *.yaml',
    };
    return { json: text, errors: [{ ...place, ...wrong }], placeOf: read.placeOf };
  }
}

/** The parser calls itself for each level. @returns undefined when there are more of them than it can take */
function readNested(text: string): ReadText | undefined {
  try {
    return readYaml(text);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function tooDeep(text: string): Read {
  const place = { line: 1, column: 1 };
  const wrong = { field: '(file)', message: 'is nested too deep', allowed: 'one experiment' };
  return { json: text, errors: [{ ...place, ...wrong }], placeOf: () => place };
}
