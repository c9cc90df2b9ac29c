import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { canonicalJson, sha256Hex } from '../domain/digest.ts';
import type { Caller, Experiment, RequestedExperiment } from '../domain/experiment.ts';
import { EXPIRY_ATTRIBUTE } from '../domain/names.ts';

/** An experiment id that was admitted once: it belongs to that request for good. */
export interface Reservation {
  experimentId: string;
  /** Of the request: the same body is known again, whoever has a role by then. */
  requestHash: string;
  /** As it was admitted. */
  request: Experiment;
  caller: Caller;
  acceptedAt: string;
}

/** The same for bodies that ask for the same, whatever their white space, order of fields or spelt-out defaults. */
export function hashRequest(experiment: RequestedExperiment): string {
  return sha256Hex(canonicalJson(experiment));
}

/** No experiment can have this id. */
const admissionKey = (experimentId: string) => `ADMISSION#${experimentId}`;

/** The approval of that experiment, which is given once. No experiment can have this id either. */
export const approvalKey = (experimentId: string) => `APPROVAL#${experimentId}`;

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

  /** False when the id is taken by another request; `ownerToken`, random and made by us, lets a repeated put of our own succeed. */
  async reserve(reservation: Reservation, ownerToken: string): Promise<boolean> {
    return unlessConditionFails(
      this.#documents.send(
        new PutCommand({
          TableName: this.#tableName,
          Item: { ...reservation, request: JSON.stringify(reservation.request), ownerToken },
          ConditionExpression: 'attribute_not_exists(experimentId) OR ownerToken = :ownerToken',
          ExpressionAttributeValues: { ':ownerToken': ownerToken },
        }),
      ),
    );
  }

  /**
   * Notes that a request with this id is being judged, so that an abort that comes meanwhile is not told that there is
   * no such experiment. The note is void after `untilEpochMs`, and DynamoDB removes it some time later.
   */
  async noteAdmission(experimentId: string, untilEpochMs: number): Promise<void> {
    const Item = { experimentId: admissionKey(experimentId), untilEpochMs };
    const removal = { [EXPIRY_ATTRIBUTE]: Math.ceil(untilEpochMs / 1000) };
    await this.#documents.send(new PutCommand({ TableName: this.#tableName, Item: { ...Item, ...removal } }));
  }

  /** Whether the id is reserved, or its request is being judged. Consistent reads. */
  async isKnown(experimentId: string, nowEpochMs: number): Promise<boolean> {
    const read = async (key: string) =>
      (
        await this.#documents.send(
          new GetCommand({ TableName: this.#tableName, Key: { experimentId: key }, ConsistentRead: true }),
        )
      ).Item;
    const [reserved, noted] = await Promise.all([read(experimentId), read(admissionKey(experimentId))]);
    return reserved !== undefined || Number(noted?.untilEpochMs) >= nowEpochMs;
  }

  /** Gives an id back that nothing was started under. */
  async cancel(experimentId: string, ownerToken: string): Promise<boolean> {
    return unlessConditionFails(
      this.#documents.send(
        new DeleteCommand({
          TableName: this.#tableName,
          Key: { experimentId },
          ConditionExpression: 'ownerToken = :ownerToken',
          ExpressionAttributeValues: { ':ownerToken': ownerToken },
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
