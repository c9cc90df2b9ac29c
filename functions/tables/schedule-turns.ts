import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { EXPIRY_ATTRIBUTE, scheduleTurnKey } from '../domain/names.ts';

/**
 * Whose turn it is to ask for one time of a schedule: a row in the table of reservations. Two who asked side by side could be
 * answered differently, and the one that was refused would say so while the other's experiment runs.
 */
export class ScheduleTurns {
  readonly #documents: DynamoDBDocumentClient;
  readonly #tableName: string;

  constructor(options: { dynamo: DynamoDBClient; tableName: string }) {
    this.#documents = DynamoDBDocumentClient.from(options.dynamo);
    this.#tableName = options.tableName;
  }

  /**
   * False while somebody else has it. The row of one who died is void after `untilEpochMs`.
   * @param ownerToken random, made by us for this invocation
   */
  async take(
    name: string,
    scheduledAt: string,
    ownerToken: string,
    { nowEpochMs, untilEpochMs }: { nowEpochMs: number; untilEpochMs: number },
  ): Promise<boolean> {
    const Item = {
      ...{ experimentId: scheduleTurnKey(name, scheduledAt), ownerToken, untilEpochMs },
      [EXPIRY_ATTRIBUTE]: Math.ceil(untilEpochMs / 1000),
    };
    try {
      await this.#documents.send(
        new PutCommand({
          TableName: this.#tableName,
          Item,
          ConditionExpression:
            'attribute_not_exists(experimentId) OR ownerToken = :ownerToken OR untilEpochMs < :nowEpochMs',
          ExpressionAttributeValues: { ':ownerToken': ownerToken, ':nowEpochMs': nowEpochMs },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  /** Does nothing where somebody else has it by now. */
  async giveBack(name: string, scheduledAt: string, ownerToken: string): Promise<void> {
    try {
      await this.#documents.send(
        new DeleteCommand({
          TableName: this.#tableName,
          Key: { experimentId: scheduleTurnKey(name, scheduledAt) },
          ConditionExpression: 'ownerToken = :ownerToken',
          ExpressionAttributeValues: { ':ownerToken': ownerToken },
        }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }
}
