import {
  type AttributeValue,
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { Clock } from '../domain/clock.ts';
import { type KillSwitch, type SwitchTurn, switchIdOf } from '../domain/kill-switch.ts';
import { PATIENCE } from '../domain/timing.ts';

type Row = Record<string, AttributeValue>;

/** The rows of the kill switches in the lease table. The lease of an experiment is in `leases.ts`. */
export class KillSwitches {
  readonly #dynamo: DynamoDBClient;
  readonly #tableName: string;
  readonly #clock: Clock;
  readonly #withinMs: number;

  /** @param options `withinMs`: longest time one call may take with all its attempts */
  constructor(options: { dynamo: DynamoDBClient; tableName: string; clock: Clock; withinMs?: number }) {
    this.#dynamo = options.dynamo;
    this.#tableName = options.tableName;
    this.#clock = options.clock;
    this.#withinMs = options.withinMs ?? PATIENCE.lease.withinMs;
  }

  /**
   * The switch of all, then those of the clusters, of one consistent read.
   * @throws Error also when DynamoDB leaves a row unread: nobody knows what it says
   */
  async read(clusters: readonly string[]): Promise<KillSwitch[]> {
    const named = [undefined, ...new Set(clusters)];
    const Keys = named.map((cluster) => ({ leaseId: { S: switchIdOf(cluster) } }));
    const { Responses, UnprocessedKeys } = await this.#dynamo.send(
      new BatchGetItemCommand({ RequestItems: { [this.#tableName]: { Keys, ConsistentRead: true } } }),
      this.#bounded(),
    );
    if (Object.keys(UnprocessedKeys ?? {}).length > 0) throw new Error('DynamoDB has not read every kill switch');
    const rows = new Map((Responses?.[this.#tableName] ?? []).map((row) => [row.leaseId?.S ?? '', row]));
    return named.map((cluster) => toSwitch(cluster, rows.get(switchIdOf(cluster))));
  }

  /** The first switch that keeps experiments from these clusters; undefined: none does. Unknown means refuse. @throws Error */
  async engaged(clusters: readonly string[]): Promise<KillSwitch | undefined> {
    return (await this.read(clusters)).find(({ engaged }) => engaged);
  }

  /** Idempotent: whoever engaged it first stays. @returns false when it was engaged already */
  engage(cluster: string | undefined, turn: Omit<Required<SwitchTurn>, 'at'>): Promise<boolean> {
    return this.#turn(
      cluster,
      turn,
      'RELEASED',
      'SET #state = :state, engagedBy = :by, engagedAt = :at, engageReason = :reason',
    );
  }

  /** Lets experiments start again. @returns false when it was armed already */
  reArm(cluster: string | undefined, turn: Omit<Required<SwitchTurn>, 'at'>): Promise<boolean> {
    return this.#turn(
      cluster,
      turn,
      'HOLD',
      'SET #state = :state, reArmedBy = :by, reArmedAt = :at, reArmReason = :reason REMOVE engagedBy, engagedAt, engageReason',
    );
  }

  async #turn(
    cluster: string | undefined,
    { by, reason }: Omit<Required<SwitchTurn>, 'at'>,
    state: 'HOLD' | 'RELEASED',
    UpdateExpression: string,
  ): Promise<boolean> {
    try {
      await this.#dynamo.send(
        new UpdateItemCommand({
          TableName: this.#tableName,
          Key: { leaseId: { S: switchIdOf(cluster) } },
          UpdateExpression,
          ConditionExpression: 'attribute_not_exists(#state) OR #state <> :state',
          ExpressionAttributeNames: { '#state': 'state' },
          ExpressionAttributeValues: {
            ':state': { S: state },
            ':by': { S: by },
            ':at': { S: new Date(this.#clock.nowEpochMs()).toISOString() },
            ':reason': { S: reason },
          },
        }),
        this.#bounded(),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  #bounded(): { abortSignal: AbortSignal } {
    return { abortSignal: AbortSignal.timeout(this.#withinMs) };
  }
}

function toSwitch(cluster: string | undefined, row: Row | undefined): KillSwitch {
  const engaged = row?.state?.S !== 'HOLD';
  const lastReArmed = turnOf(row, 'reArmedBy', 'reArmedAt', 'reArmReason');
  const why = row ? turnOf(row, 'engagedBy', 'engagedAt', 'engageReason') : { reason: 'its row is missing' };
  return {
    ...(cluster === undefined ? {} : { cluster }),
    engaged,
    ...(engaged ? { engagement: why ?? {} } : {}),
    ...(lastReArmed ? { lastReArmed } : {}),
  };
}

function turnOf(row: Row | undefined, by: string, at: string, reason: string): SwitchTurn | undefined {
  const turn = {
    ...(row?.[by]?.S ? { by: row[by].S } : {}),
    ...(row?.[at]?.S ? { at: row[at].S } : {}),
    ...(row?.[reason]?.S ? { reason: row[reason].S } : {}),
  };
  return Object.keys(turn).length > 0 ? turn : undefined;
}
