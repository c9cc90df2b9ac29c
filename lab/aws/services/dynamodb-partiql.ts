import { AwsError } from '../protocol/aws-error.ts';
import type { JsonObject } from '../protocol/json.ts';
import { requiredString } from '../protocol/service.ts';

const INSERT = /^\s*INSERT\s+INTO\s+"([A-Za-z0-9_.-]+)"\s+VALUE\s+\{(.*)\}\s*$/is;
const PAIR = /^\s*'([^']+)'\s*:\s*\?\s*$/;

/**
 * The one PartiQL form the product writes: `INSERT INTO "table" VALUE {'name': ?, …}` with a parameter for each name.
 * @throws AwsError ValidationException for every other statement.
 */
export function parseInsert(input: JsonObject): { tableName: string; item: JsonObject } {
  const statement = requiredString(input, 'Statement');
  const match = INSERT.exec(statement);
  const names = (match?.[2] ?? '').split(',').map((pair) => PAIR.exec(pair)?.[1]);
  if (match === null || names.some((name) => name === undefined)) {
    throw new AwsError(
      'ValidationException',
      `Statement: the lab knows only INSERT INTO "table" VALUE {'name': ?, …}, not: ${statement}`,
    );
  }
  const parameters = Array.isArray(input.Parameters) ? input.Parameters : [];
  if (parameters.length !== names.length) {
    throw new AwsError('ValidationException', `Parameters: ${names.length} expected, ${parameters.length} given`);
  }
  return {
    tableName: match[1] ?? '',
    item: Object.fromEntries(names.map((name, index) => [name ?? '', parameters[index] ?? null])),
  };
}
