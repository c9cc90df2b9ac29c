import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, ExecuteStatementCommand, paginateQuery, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { EventPublisher } from '../aws/event-publisher.ts';
import type { Actor, AuditEntry, EntryType } from '../domain/audit-entry.ts';
import { asJson } from '../domain/canonical-json.ts';
import type { Clock } from '../domain/clock.ts';
import { hashEntry, type UnhashedEntry } from '../domain/hash-chain.ts';
import { log } from '../runtime/log.ts';

/** Several functions write to one experiment's log at once; each collision costs one more try. */
const MAX_ATTEMPTS = 10;
const RETRY_PAUSE_MS = 20;

export interface AuditLogDependencies {
  dynamo: DynamoDBClient;
  tableName: string;
  clock: Clock;
  publish?: EventPublisher;
}

/**
 * The append-only log. An entry is written with PartiQL `INSERT`, which fails when the key exists: with that right
 * alone nobody can overwrite, whereas `PutItem` could.
 */
export class AuditLog {
  readonly #dependencies: AuditLogDependencies;
  readonly #documents: DynamoDBDocumentClient;

  constructor(dependencies: AuditLogDependencies) {
    this.#dependencies = dependencies;
    this.#documents = DynamoDBDocumentClient.from(dependencies.dynamo);
  }

  /**
   * Adds an entry behind the last one and publishes it. An event that cannot be published is only logged: the log is
   * the record, the event is news.
   * @throws the store's error when the entry could not be written; then it may or may not be there.
   */
  async append(
    experimentId: string,
    type: EntryType,
    actor: Actor,
    details: Record<string, unknown>,
  ): Promise<AuditEntry> {
    const entry = await this.#insert({ experimentId, type, actor: asJson(actor), details: asJson(details) });
    try {
      await this.#dependencies.publish?.publish(entry);
    } catch (error) {
      log.warn('event not published', { experimentId, type, sequence: entry.sequence, error: String(error) });
    }
    return entry;
  }

  /** All entries of an experiment, oldest first, from a consistent read of every page; empty when there is none. */
  async read(experimentId: string): Promise<AuditEntry[]> {
    const entries: AuditEntry[] = [];
    const pages = paginateQuery({ client: this.#documents }, this.#queryOf(experimentId));
    for await (const page of pages) entries.push(...(page.Items ?? []).map(toEntry));
    return entries;
  }

  async #insert(content: Pick<AuditEntry, 'experimentId' | 'type' | 'actor' | 'details'>): Promise<AuditEntry> {
    const { clock } = this.#dependencies;
    for (let attempt = 1; ; attempt++) {
      const last = await this.#last(content.experimentId);
      const unhashed: UnhashedEntry = {
        ...content,
        sequence: (last?.sequence ?? 0) + 1,
        at: new Date(clock.nowEpochMs()).toISOString(),
        previousHash: last?.hash ?? '',
      };
      const entry: AuditEntry = { ...unhashed, hash: hashEntry(unhashed) };
      try {
        await this.#execute(entry);
        return entry;
      } catch (error) {
        if (!(error instanceof Error) || error.name !== 'DuplicateItemException') throw error;
        // The client repeats a request whose answer was lost: then the entry that is in the way is our own.
        if ((await this.#at(entry.experimentId, entry.sequence))?.hash === entry.hash) return entry;
        if (attempt >= MAX_ATTEMPTS) throw error;
        await clock.sleep(Math.random() * RETRY_PAUSE_MS * attempt);
      }
    }
  }

  async #execute(entry: AuditEntry): Promise<void> {
    const item = { ...entry, actor: JSON.stringify(entry.actor), details: JSON.stringify(entry.details) };
    const fields = Object.entries(item);
    await this.#documents.send(
      new ExecuteStatementCommand({
        Statement: `INSERT INTO "${this.#dependencies.tableName}" VALUE {${fields.map(([name]) => `'${name}': ?`).join(', ')}}`,
        Parameters: fields.map(([, value]) => value),
      }),
    );
  }

  async #last(experimentId: string): Promise<AuditEntry | undefined> {
    const query = new QueryCommand({ ...this.#queryOf(experimentId), ScanIndexForward: false, Limit: 1 });
    return (await this.#documents.send(query)).Items?.map(toEntry)[0];
  }

  async #at(experimentId: string, sequence: number): Promise<AuditEntry | undefined> {
    const query = this.#queryOf(experimentId);
    const answer = await this.#documents.send(
      new QueryCommand({
        ...query,
        KeyConditionExpression: `${query.KeyConditionExpression} AND #sequence = :sequence`,
        ExpressionAttributeNames: { '#sequence': 'sequence' },
        ExpressionAttributeValues: { ...query.ExpressionAttributeValues, ':sequence': sequence },
      }),
    );
    return answer.Items?.map(toEntry)[0];
  }

  #queryOf(experimentId: string) {
    return {
      TableName: this.#dependencies.tableName,
      KeyConditionExpression: 'experimentId = :experimentId',
      ExpressionAttributeValues: { ':experimentId': experimentId },
      ConsistentRead: true,
    };
  }
}

function toEntry(item: Record<string, unknown>): AuditEntry {
  // Nobody but this log's own append can write rows of this table: IAM allows its INSERT alone.
  const row = item as Omit<AuditEntry, 'actor' | 'details'> & { actor: string; details: string };
  return {
    ...row,
    actor: JSON.parse(row.actor) as AuditEntry['actor'],
    details: JSON.parse(row.details) as AuditEntry['details'],
  };
}
