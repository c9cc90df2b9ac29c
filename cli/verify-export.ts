import { readFileSync } from 'node:fs';
import { inspectLog } from '../functions/domain/hash-chain.ts';
import { message, UsageError } from './exit-codes.ts';
import { printable } from './render.ts';

export interface VerifiedLog {
  experimentId: string;
  entries: number;
  verified: boolean;
  admitted: boolean;
  concluded: boolean;
  brokenAtSequence?: number;
}

/**
 * Every log in a file of the daily export, computed from the file alone.
 * @throws UsageError for a file that cannot be read or holds something else than entries
 */
export function verifyExport(file: string): VerifiedLog[] {
  const logs = Map.groupBy(entriesOf(file), ({ experimentId }) => String(experimentId));
  return [...logs].map(([experimentId, entries]) => {
    const { isAdmitted: admitted, isConcluded: concluded, brokenAtSequence } = inspectLog(experimentId, entries);
    const verified = brokenAtSequence === undefined;
    const log = { experimentId, entries: entries.length, verified, admitted, concluded };
    return verified ? log : { ...log, brokenAtSequence };
  });
}

export function exportLine({ experimentId, entries, concluded, brokenAtSequence }: VerifiedLog): string {
  const id = printable(experimentId);
  if (brokenAtSequence !== undefined) return `The log of ${id} is BROKEN at entry ${brokenAtSequence} of ${entries}.`;
  return `The log of ${id} is unbroken: ${entries} entries${concluded ? '' : ', and no verdict among them'}.`;
}

function entriesOf(file: string): Record<string, unknown>[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--from: ${message(error)}`);
  }
  const lines = text.split('\n').filter((line) => line !== '');
  if (lines.length === 0) throw new UsageError(`--from: ${file} is empty`);
  return lines.map((line, index) => {
    try {
      const entry: unknown = JSON.parse(line);
      if (typeof entry === 'object' && entry !== null && 'experimentId' in entry) return { ...entry };
    } catch {
      // Said below.
    }
    throw new UsageError(`--from: ${file}:${index + 1} is no entry of a log`);
  });
}
