import { isDeepStrictEqual } from 'node:util';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, ExecuteStatementCommand, paginateQuery, QueryCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { Actor, AuditEntry, EntryDetails, EntryType } from '../domain/audit-entry.ts';
import { parseEntry } from '../domain/audit-schemas.ts';
import type { Clock } from '../domain/clock.ts';
import { asJson } from '../domain/digest.ts';
import { hashEntry } from '../domain/hash-chain.ts';
import { log } from '../runtime/log.ts';

/** Several functions write to one experiment's log at once; each collision costs one more try. */
const MAX_ATTEMPTS = 10;
const RETRY_PAUSE_MS = 20;

/** Evidence in bulk: no news, and nobody who waits for the end of a run waits for it to be sent. */
const UNPUBLISHED: readonly EntryType[] = ['LATENCY_RECORDED', 'CHECKS_OBSERVED'];

/** Tells the world about an entry that is already in the log. */
export interface EventPublisher {
  publish(entry: AuditEntry): Promise<void>;
}

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
   * Adds an entry behind the last one and publishes it, unless it is only evidence in bulk. An event that cannot be published is only logged: the log is
   * the record, the event is news.
   * @throws the store's error when the entry could not be written; then it may or may not be there.
   */
  append<T extends EntryType>(
    experimentId: string,
    type: T,
    actor: Actor,
    details: EntryDetails[T],
  ): Promise<AuditEntry> {
    return this.beginAppend(experimentId, type, actor, details).done;
  }

  /**
   * For who may act as soon as it is on record: `written` is earlier than `done`, by which it is published too. Each rejects
   * as `append` does.
   */
  beginAppend<T extends EntryType>(
    experimentId: string,
    type: T,
    actor: Actor,
    details: EntryDetails[T],
  ): { written: Promise<AuditEntry>; done: Promise<AuditEntry> } {
    const written = this.#insert({ experimentId, type, actor, details });
    return { written, done: written.then((entry) => this.#publish(entry)) };
  }

  /**
   * As `append`, unless an entry of that type says the same already: of any who write it at the same time, one does.
   * @returns undefined when it was there
   * @throws as `append`
   */
  async appendOnce<T extends EntryType>(
    experimentId: string,
    type: T,
    actor: Actor,
    details: EntryDetails[T],
  ): Promise<AuditEntry | undefined> {
    const content = { experimentId, type, actor: asJson(actor), details: asJson(details) };
    for (let attempt = 1; ; attempt++) {
      const entries = await this.readUnparsed(experimentId);
      if (entries.some((entry) => entry.type === type && isDeepStrictEqual(entry.details, content.details))) return;
      try {
        return await this.#publish(await this.#insertBehind(content, toLink(entries.slice(-1))));
      } catch (error) {
        if (!isTaken(error) || attempt >= MAX_ATTEMPTS) throw error;
        await this.#pause(attempt);
      }
    }
  }

  /** The log is the record, the event is news. */
  async #publish(entry: AuditEntry): Promise<AuditEntry> {
    const { experimentId, type, sequence } = entry;
    if (UNPUBLISHED.includes(type)) return entry;
    try {
      await this.#dependencies.publish?.publish(entry);
    } catch (error) {
      log.warn('event not published', { experimentId, type, sequence, error: String(error) });
    }
    return entry;
  }

  /**
   * All entries of an experiment, oldest first, from a consistent read of every page; empty when there is none.
   * @throws Error that names the entry and its field when one is not as its type demands: then nothing is known of it.
   */
  async read(experimentId: string): Promise<AuditEntry[]> {
    return (await this.#items(experimentId)).map(toEntry);
  }

  /**
   * The last entries, newest first, at most `most`, from a consistent read.
   * @throws as `read`
   */
  async latest(experimentId: string, most: number): Promise<AuditEntry[]> {
    const query = new QueryCommand({ ...this.#queryOf(experimentId), ScanIndexForward: false, Limit: most });
    return ((await this.#documents.send(query)).Items ?? []).map(toEntry);
  }

  /**
   * To decide whether a rollback must be started: like `read`, but an entry that does not fit its type, as another version
   * may have written it, is left out with an error in the log. Left out it can only make us start one more rollback.
   * @throws Error when that entry is ADMITTED, without which none is started.
   */
  async readToDecideRollback(experimentId: string): Promise<AuditEntry[]> {
    return (await this.#items(experimentId)).flatMap((item) => {
      try {
        return [toEntry(item)];
      } catch (error) {
        if (item.type === 'ADMITTED') throw error;
        log.error('entry not readable', { experimentId, type: item.type, error: String(error) });
        return [];
      }
    });
  }

  /** The entries as they stand in the table, oldest first, whether or not they fit their types: for who computes hashes. */
  async readUnparsed(experimentId: string): Promise<Record<string, unknown>[]> {
    return (await this.#items(experimentId)).map((item) => ({
      ...item,
      actor: jsonOr(item.actor),
      details: jsonOr(item.details),
    }));
  }

  /** Whatever is wrong with it rejects: an act that does not wait for its record must not fail by it either. */
  async #insert({ experimentId, type, actor, details }: Content): Promise<AuditEntry> {
    const content = { experimentId, type, actor: asJson(actor), details: asJson(details) };
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#insertBehind(content, await this.#last(content.experimentId));
      } catch (error) {
        if (!isTaken(error) || attempt >= MAX_ATTEMPTS) throw error;
        await this.#pause(attempt);
      }
    }
  }

  #pause(attempt: number): Promise<void> {
    return this.#dependencies.clock.sleep(Math.random() * RETRY_PAUSE_MS * attempt);
  }

  /** @throws DuplicateItemException when somebody else has written behind it: see `isTaken` */
  async #insertBehind(content: Content, last: Link | undefined): Promise<AuditEntry> {
    const unhashed = {
      ...content,
      sequence: (last?.sequence ?? 0) + 1,
      at: new Date(this.#dependencies.clock.nowEpochMs()).toISOString(),
      previousHash: last?.hash ?? '',
    };
    // Parsed before it is written: what could not be read again would hide everything that stands beside it.
    const { hash, ...parsed } = parseEntry({ ...unhashed, hash: hashEntry(unhashed) });
    // Were a field lost on the way, the chain would be broken for good.
    if (hashEntry(parsed) !== hash) throw new Error(`audit log: entry ${parsed.sequence} is not what was parsed`);
    const entry: AuditEntry = { ...parsed, hash };
    try {
      await this.#execute(entry);
      return entry;
    } catch (error) {
      if (!isTaken(error)) throw error;
      // The client repeats a request whose answer was lost: then the entry that is in the way is our own.
      if ((await this.#at(entry.experimentId, entry.sequence))?.hash === entry.hash) return entry;
      throw error;
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

  async #items(experimentId: string): Promise<Record<string, unknown>[]> {
    const items: Record<string, unknown>[] = [];
    const pages = paginateQuery({ client: this.#documents }, this.#queryOf(experimentId));
    for await (const page of pages) items.push(...(page.Items ?? []));
    return items;
  }

  async #last(experimentId: string): Promise<Link | undefined> {
    const query = new QueryCommand({ ...this.#queryOf(experimentId), ScanIndexForward: false, Limit: 1 });
    return toLink((await this.#documents.send(query)).Items);
  }

  async #at(experimentId: string, sequence: number): Promise<Link | undefined> {
    const query = this.#queryOf(experimentId);
    const answer = await this.#documents.send(
      new QueryCommand({
        ...query,
        KeyConditionExpression: `${query.KeyConditionExpression} AND #sequence = :sequence`,
        ExpressionAttributeNames: { '#sequence': 'sequence' },
        ExpressionAttributeValues: { ...query.ExpressionAttributeValues, ':sequence': sequence },
      }),
    );
    return toLink(answer.Items);
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

/** Somebody else wrote the entry of that number. */
function isTaken(error: unknown): boolean {
  return error instanceof Error && error.name === 'DuplicateItemException';
}

type Content = Pick<AuditEntry, 'experimentId' | 'type' | 'actor'> & { details: unknown };

/** What the next entry needs of the one before it: one that does not fit its type must not keep others from the log. */
const linkSchema = z.object({ sequence: z.int(), hash: z.string() });
type Link = z.output<typeof linkSchema>;

function toLink(items: readonly unknown[] | undefined): Link | undefined {
  return items?.map((item) => linkSchema.parse(item))[0];
}

/** What is no JSON, as only somebody else can have written it, stays what it is: no hash fits it. */
function jsonOr(value: unknown): unknown {
  try {
    return JSON.parse(String(value));
  } catch {
    return value;
  }
}

const rowSchema = z.looseObject({ actor: z.string(), details: z.string() });

function toEntry(item: Record<string, unknown>): AuditEntry {
  const row = rowSchema.parse(item);
  return parseEntry({ ...row, actor: JSON.parse(row.actor), details: JSON.parse(row.details) });
}
