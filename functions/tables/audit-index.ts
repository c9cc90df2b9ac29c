import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { EntryType } from '../domain/audit-entry.ts';
import { AUDIT_INDEX } from '../domain/names.ts';

const keySchema = z.object({ experimentId: z.string(), at: z.string() });
export type AuditKey = z.output<typeof keySchema>;

/** When entries were written, by their type: an index, so a second or so behind the log. */
export class AuditIndex {
  readonly #documents: DynamoDBDocumentClient;
  readonly #tableName: string;

  constructor(options: { dynamo: DynamoDBClient; tableName: string }) {
    this.#documents = DynamoDBDocumentClient.from(options.dynamo);
    this.#tableName = options.tableName;
  }

  /** Entries of that type from one moment (ISO 8601, inclusive) to another (exclusive), oldest first, at most `most`. */
  async find(type: EntryType, from: string, until: string, most = Number.POSITIVE_INFINITY): Promise<AuditKey[]> {
    const keys: AuditKey[] = [];
    // BETWEEN takes both ends, and nothing else asks a key for two.
    const pages = paginateQuery(
      { client: this.#documents },
      {
        TableName: this.#tableName,
        IndexName: AUDIT_INDEX,
        KeyConditionExpression: '#type = :type AND #at BETWEEN :from AND :until',
        ExpressionAttributeNames: { '#type': 'type', '#at': 'at' },
        ExpressionAttributeValues: { ':type': type, ':from': from, ':until': until },
      },
    );
    for await (const page of pages) {
      keys.push(...(page.Items ?? []).map((item) => keySchema.parse(item)).filter(({ at }) => at < until));
      if (keys.length >= most) return keys.slice(0, most);
    }
    return keys;
  }
}
