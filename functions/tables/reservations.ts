import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { canonicalJson, sha256Hex } from '../domain/digest.ts';
import type { Caller, Experiment } from '../domain/experiment.ts';

/** An experiment id that was admitted once: it belongs to that request for good. */
export interface Reservation {
  experimentId: string;
  requestHash: string;
  request: Experiment;
  caller: Caller;
  acceptedAt: string;
}

/** The same for bodies that ask for the same, whatever their white space, order of fields or spelt-out defaults. */
export function hashRequest(experiment: Experiment): string {
  return sha256Hex(canonicalJson(experiment));
}

export class Reservations {
  readonly #documents: DynamoDBDocumentClient;
  readonly #tableName: string;

  constructor(options: { dynamo: DynamoDBClient; tableName: string }) {
    this.#documents = DynamoDBDocumentClient.from(options.dynamo);
    this.#tableName = options.tableName;
  }

  /** Consistent read; undefined when the id is free. */
  async find(experimentId: string): Promise<Reservation | undefined> {
    const { Item } = await this.#documents.send(
      new GetCommand({ TableName: this.#tableName, Key: { experimentId }, ConsistentRead: true }),
    );
    if (Item === undefined) return undefined;
    const row = Item as Omit<Reservation, 'request'> & { request: string };
    return { ...row, request: JSON.parse(row.request) as Experiment };
  }

  /** False when the id is taken by another request; `requestId` lets a repeated put of our own succeed. */
  async reserve(reservation: Reservation, requestId: string): Promise<boolean> {
    return unlessConditionFails(
      this.#documents.send(
        new PutCommand({
          TableName: this.#tableName,
          Item: { ...reservation, request: JSON.stringify(reservation.request), requestId },
          ConditionExpression: 'attribute_not_exists(experimentId) OR requestId = :requestId',
          ExpressionAttributeValues: { ':requestId': requestId },
        }),
      ),
    );
  }

  /** Gives an id back that nothing was started under. */
  async cancel(experimentId: string, requestId: string): Promise<boolean> {
    return unlessConditionFails(
      this.#documents.send(
        new DeleteCommand({
          TableName: this.#tableName,
          Key: { experimentId },
          ConditionExpression: 'requestId = :requestId',
          ExpressionAttributeValues: { ':requestId': requestId },
        }),
      ),
    );
  }
}

async function unlessConditionFails(sent: Promise<unknown>): Promise<boolean> {
  try {
    await sent;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
