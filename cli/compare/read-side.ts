import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { isExperimentId } from '../../functions/domain/contract.ts';
import { message, UsageError } from '../exit-codes.ts';
import { type RunDocument, runSchema } from '../runs/run-document.ts';

const fileSchema = z.union([
  z.looseObject({ runs: z.array(runSchema) }).transform(({ runs }) => runs),
  runSchema.transform((run) => [run]),
]);

/**
 * The runs of one side: what could be the id of an experiment is one, anything else is a file.
 * @param text ids and files, separated by commas
 * @throws UsageError that names the part which cannot be read, and what it may be
 */
export async function readSide(
  text: string,
  ports: { fetchRun(experimentId: string): Promise<RunDocument>; readFile(path: string): string },
): Promise<RunDocument[]> {
  const parts = text.split(',');
  if (parts.includes('')) throw new UsageError(`"${text}": an experiment id or a file is missing beside a comma`);
  const runs: RunDocument[] = [];
  for (const part of parts) {
    runs.push(...(isExperimentId(part) ? [await ports.fetchRun(part)] : runsIn(part, ports.readFile)));
  }
  const twice = runs.find((run, at) => runs.slice(0, at).some((other) => other.experimentId === run.experimentId));
  if (twice) throw new UsageError(`${text}: has the run ${twice.experimentId} twice`);
  return runs;
}

/** Whether a side names an experiment that only the API knows. */
export function asksApi(text: string): boolean {
  return text.split(',').some(isExperimentId);
}

export function readText(path: string): string {
  return readFileSync(path, 'utf8');
}

function runsIn(path: string, readFile: (path: string) => string): RunDocument[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFile(path));
  } catch (error) {
    throw new UsageError(`${path}: neither the id of an experiment nor a file with a JSON document: ${message(error)}`);
  }
  const documents = Array.isArray(parsed) ? parsed : [parsed];
  const found = documents.flatMap((document) => {
    const runs = fileSchema.safeParse(document);
    if (runs.success) return runs.data;
    throw new UsageError(`${path}: is not what --json of run or campaign wrote`);
  });
  if (found.length === 0) throw new UsageError(`${path}: holds no run`);
  return found;
}
