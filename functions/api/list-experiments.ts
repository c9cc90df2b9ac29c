import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb';
import { FAULT_KINDS } from '../domain/faults/catalogue.ts';
import { type FieldError, problem } from '../domain/problem.ts';
import { RECORD_INDEX, type RecordRow } from '../domain/records.ts';
import { type Answer, refusal } from './answer.ts';

const MAX_ROWS = 1_000;

export type FindRecords = (cluster: string, fault: string | undefined) => Promise<RecordRow[]>;

/** `GET …?cluster=&fault=`: the seed's records by its composite index, newest first; `fault` may be left out. */
export async function listExperiments(query: Record<string, string | undefined>, find: FindRecords): Promise<Answer> {
  const { cluster, fault } = query;
  const errors: FieldError[] = [
    ...(cluster ? [] : [{ field: 'cluster', message: 'is missing', allowed: 'the name of a cluster' }]),
    ...(fault === undefined || FAULT_KINDS.some((kind) => kind === fault)
      ? []
      : [{ field: 'fault', message: 'is not a fault kind', allowed: FAULT_KINDS.join(', ') }]),
  ];
  if (!cluster || errors.length > 0) {
    const fields = errors.map(({ field }) => field).join(', ');
    return refusal(problem('invalid-request', `not valid: ${fields}`, { errors }));
  }
  const rows = await find(cluster, fault);
  const newestFirst = rows.toSorted((a, b) => (a.injected_at < b.injected_at ? 1 : -1));
  return { status: 200, body: { experiments: newestFirst, truncated: rows.length >= MAX_ROWS } };
}

/** Reads the record table's index, at most 1,000 rows. */
export function findRecordsIn(dynamo: DynamoDBClient, tableName: string): FindRecords {
  const client = DynamoDBDocumentClient.from(dynamo);
  return async (cluster, fault) => {
    const rows: RecordRow[] = [];
    const pages = paginateQuery(
      { client },
      {
        TableName: tableName,
        IndexName: RECORD_INDEX,
        KeyConditionExpression: `target_cluster = :cluster${fault === undefined ? '' : ' AND fault_type = :fault'}`,
        ExpressionAttributeValues: { ':cluster': cluster, ...(fault === undefined ? {} : { ':fault': fault }) },
      },
    );
    for await (const page of pages) {
      rows.push(...((page.Items ?? []) as RecordRow[]));
      if (rows.length >= MAX_ROWS) return rows.slice(0, MAX_ROWS);
    }
    return rows;
  };
}
