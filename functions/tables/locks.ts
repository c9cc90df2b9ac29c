import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateScan,
  type ScanCommandOutput,
} from '@aws-sdk/lib-dynamodb';

export interface Lock {
  cluster: string;
  experimentId: string;
  /** ISO 8601. After this the run is over, or something died: the sweep looks after it. */
  endsAt: string;
}

/** One experiment a cluster at a time. A lock is a row; who put it first has it. */
export class Locks {
  readonly #documents: DynamoDBDocumentClient;
  readonly #tableName: string;

  constructor(options: { dynamo: DynamoDBClient; tableName: string }) {
    this.#documents = DynamoDBDocumentClient.from(options.dynamo);
    this.#tableName = options.tableName;
  }

  /**
   * True when this request has the lock now. Its `ownerToken` makes a put that was repeated because its answer got lost
   * succeed, while another request for the same experiment does not.
   * @param ownerToken random and made by us: whoever knows it has the lock
   */
  async take(lock: Lock, ownerToken: string): Promise<boolean> {
    return this.#conditionally(
      new PutCommand({
        TableName: this.#tableName,
        Item: { ...lock, ownerToken },
        ConditionExpression: 'attribute_not_exists(#cluster) OR ownerToken = :ownerToken',
        ExpressionAttributeNames: { '#cluster': 'cluster' },
        ExpressionAttributeValues: { ':ownerToken': ownerToken },
      }),
    );
  }

  /** Frees the cluster if this experiment holds it; false when it did not. */
  release(cluster: string, experimentId: string): Promise<boolean> {
    return this.#deleteIf(cluster, 'experimentId', experimentId);
  }

  /** Takes back what this request took, and not what another request for the same experiment holds. */
  giveBack(cluster: string, ownerToken: string): Promise<boolean> {
    return this.#deleteIf(cluster, 'ownerToken', ownerToken);
  }

  /** The experiment that holds the cluster, from a consistent read; undefined when it is free. */
  async holder(cluster: string): Promise<string | undefined> {
    const { Item } = await this.#documents.send(
      new GetCommand({ TableName: this.#tableName, Key: { cluster }, ConsistentRead: true }),
    );
    return Item === undefined ? undefined : String(Item.experimentId);
  }

  /** Every lock there is; there are at most as many as clusters. */
  async list(): Promise<Lock[]> {
    const locks: Lock[] = [];
    const pages = paginateScan({ client: this.#documents }, { TableName: this.#tableName, ConsistentRead: true });
    for await (const page of pages) locks.push(...toLocks(page));
    return locks;
  }

  #deleteIf(cluster: string, field: 'experimentId' | 'ownerToken', value: string): Promise<boolean> {
    return this.#conditionally(
      new DeleteCommand({
        TableName: this.#tableName,
        Key: { cluster },
        ConditionExpression: '#field = :value',
        ExpressionAttributeNames: { '#field': field },
        ExpressionAttributeValues: { ':value': value },
      }),
    );
  }

  async #conditionally(command: PutCommand | DeleteCommand): Promise<boolean> {
    try {
      await (command instanceof PutCommand ? this.#documents.send(command) : this.#documents.send(command));
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}

function toLocks({ Items }: ScanCommandOutput): Lock[] {
  return (Items ?? []).map((item) => ({
    cluster: String(item.cluster),
    experimentId: String(item.experimentId),
    endsAt: String(item.endsAt),
  }));
}
