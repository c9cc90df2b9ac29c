import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { type CursorName, cursorKey } from '../domain/names.ts';

/** How far each of the functions that walk through the log has come: a row in the table of reservations. */
export class Cursors {
  readonly #documents: DynamoDBDocumentClient;
  readonly #tableName: string;

  constructor(options: { dynamo: DynamoDBClient; tableName: string }) {
    this.#documents = DynamoDBDocumentClient.from(options.dynamo);
    this.#tableName = options.tableName;
  }

  /** Undefined before the first run. */
  async read(name: CursorName): Promise<string | undefined> {
    const { Item } = await this.#documents.send(
      new GetCommand({ TableName: this.#tableName, Key: { experimentId: cursorKey(name) }, ConsistentRead: true }),
    );
    return Item === undefined ? undefined : String(Item.upTo);
  }

  async write(name: CursorName, upTo: string): Promise<void> {
    const Item = { experimentId: cursorKey(name), upTo };
    await this.#documents.send(new PutCommand({ TableName: this.#tableName, Item }));
  }
}
