import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** The command was called wrongly: the lab was not touched, and the exit code is 64. */
export class UsageError extends Error {}

/**
 * @returns the file's text, which is what is posted.
 * @throws UsageError with the file's full path when it cannot be read, or the API could not be asked about it.
 */
export function readPayload(file: string): string {
  const path = resolve(file);
  try {
    const text = readFileSync(path, 'utf8');
    experimentIdOf(text);
    return text;
  } catch (error) {
    throw new UsageError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** @throws Error when the payload is not a JSON object with an experimentId: the API could not be asked about it. */
export function experimentIdOf(payload: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(payload);
  } catch (error) {
    throw new Error(`the file is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const id =
    typeof parsed === 'object' && parsed !== null && 'experimentId' in parsed ? parsed.experimentId : undefined;
  if (typeof id !== 'string' || id === '') throw new Error('experimentId: must be a string that is not empty');
  return id;
}
