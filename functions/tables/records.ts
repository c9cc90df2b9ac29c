import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand, paginateQuery } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { RECORD_INDEX } from '../domain/names.ts';
import type { RecordRow } from '../domain/records.ts';

const rowSchema: z.ZodType<RecordRow> = z.object({
  id: z.string(),
  experiment_id: z.string(),
  target_cluster: z.string(),
  fault_type: z.string(),
  injected_at: z.string(),
  rolled_back_at: z.string().nullable(),
  was_auto_rolled_back: z.boolean(),
  baseline_latency_ms: z.number().nullable(),
  peak_latency_ms: z.number().nullable(),
  recovery_time_seconds: z.number().nullable(),
  data_loss_detected: z.boolean().nullable(),
});

/** The mission's `chaos_experiment_logs`, derived from the audit log at the end of an experiment. */
export class Records {
  readonly #documents: DynamoDBDocumentClient;
  readonly #tableName: string;

  constructor(options: { dynamo: DynamoDBClient; tableName: string }) {
    this.#documents = DynamoDBDocumentClient.from(options.dynamo);
    this.#tableName = options.tableName;
  }

  async write(row: RecordRow): Promise<void> {
    await this.#documents.send(new PutCommand({ TableName: this.#tableName, Item: row }));
  }

  /** The first rows of the composite index, at most `most`; `fault` may be left out. */
  async find(cluster: string, fault: string | undefined, most: number): Promise<RecordRow[]> {
    return await this.#query(cluster, fault, {}, most);
  }

  /** All rows of a cluster and a fault that was injected then or later; the index has no order of time. */
  async findSince(cluster: string, fault: string, since: string): Promise<RecordRow[]> {
    const filter = { FilterExpression: 'injected_at >= :since', values: { ':since': since } };
    return await this.#query(cluster, fault, filter, Number.POSITIVE_INFINITY);
  }

  async #query(
    cluster: string,
    fault: string | undefined,
    { values, ...filter }: { FilterExpression?: string; values?: Record<string, string> },
    most: number,
  ): Promise<RecordRow[]> {
    const rows: RecordRow[] = [];
    const keys = { ':cluster': cluster, ...(fault === undefined ? {} : { ':fault': fault }) };
    const pages = paginateQuery(
      { client: this.#documents },
      {
        TableName: this.#tableName,
        IndexName: RECORD_INDEX,
        KeyConditionExpression: `target_cluster = :cluster${fault === undefined ? '' : ' AND fault_type = :fault'}`,
        ExpressionAttributeValues: { ...keys, ...values },
        ...filter,
      },
    );
    for await (const page of pages) {
      rows.push(...(page.Items ?? []).map((item) => rowSchema.parse(item)));
      if (rows.length >= most) return rows.slice(0, most);
    }
    return rows;
  }
}
