import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DuplicateItemException,
  type DynamoDBClient,
  ExecuteStatementCommand,
  GetItemCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import { readingSchema } from '../domain/audit-schemas.ts';
import type { Clock } from '../domain/clock.ts';
import { ErrorName, WorkflowError } from '../domain/errors.ts';
import { PATIENCE } from '../domain/timing.ts';
import { RELEASE_REASONS, type Reading, type ReleaseReason } from '../domain/workflow.ts';

export interface Lease {
  leaseId: string;
  state: 'HOLD' | 'RELEASED';
  /** How often the guard has passed; only a higher one is news to a host. */
  beat: number;
  grants: string[];
  readings: Reading[];
  evaluatedAt?: string;
  endsAt?: string;
  releasedAt?: string;
  releaseReason?: ReleaseReason;
  releaseDetail?: string;
}

const HELD = { condition: '#state = :hold', names: { '#state': 'state' }, values: { ':hold': { S: 'HOLD' } } } as const;

/**
 * The right of a fault to go on. One row an experiment; hosts poll it twice a second. Single-item conditional writes
 * only, and nothing here can turn RELEASED back into HOLD.
 */
export class Leases {
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
   * Begins to hold. An INSERT fails when the row exists, whatever it says: with that right nobody can turn a released
   * lease back into a held one.
   * @throws WorkflowError LeaseReleased when a row exists already, held or released.
   */
  async create(experimentId: string): Promise<void> {
    try {
      await this.#dynamo.send(
        new ExecuteStatementCommand({
          Statement: `INSERT INTO "${this.#tableName}" VALUE {'leaseId': ?, 'state': ?, 'beat': ?}`,
          Parameters: [{ S: experimentId }, { S: 'HOLD' }, { N: '0' }],
        }),
        this.#bounded(),
      );
    } catch (error) {
      if (!(error instanceof DuplicateItemException)) throw error;
      // Its own first attempt may have come through without an answer: the id is its own, and nobody has used the row.
      const found = await this.read(experimentId);
      if (found?.state === 'HOLD' && found.beat === 0 && found.grants.length === 0) return;
      throw new WorkflowError(ErrorName.LeaseReleased, `experimentId ${experimentId} has had a lease before`);
    }
  }

  /** Consistent read; undefined when there is no row. */
  async read(experimentId: string): Promise<Lease | undefined> {
    const { Item } = await this.#dynamo.send(
      new GetItemCommand({ TableName: this.#tableName, Key: { leaseId: { S: experimentId } }, ConsistentRead: true }),
      this.#bounded(),
    );
    return Item ? toLease(Item) : undefined;
  }

  /**
   * The guard's last act of a passing evaluation. Tells of a release in the same call.
   * @throws WorkflowError LeaseReleased with the reason of the row.
   */
  renew(experimentId: string, readings: readonly Reading[]): Promise<Lease> {
    return this.#updateHeld(experimentId, {
      UpdateExpression: 'ADD beat :one SET readings = :readings, evaluatedAt = :evaluatedAt',
      ExpressionAttributeValues: {
        ':one': { N: '1' },
        ':readings': { S: JSON.stringify(readings) },
        ':evaluatedAt': { S: this.#now() },
      },
    });
  }

  /** Allows exactly these faults on exactly these hosts. @throws WorkflowError LeaseReleased */
  grant(experimentId: string, grants: readonly string[]): Promise<Lease> {
    return this.#updateHeld(experimentId, {
      UpdateExpression: 'ADD grants :grants',
      ExpressionAttributeValues: { ':grants': { SS: [...grants] } },
    });
  }

  /** When the guard may stop, ISO 8601. @throws WorkflowError LeaseReleased */
  setEndsAt(experimentId: string, endsAt: string): Promise<Lease> {
    return this.#updateHeld(experimentId, {
      UpdateExpression: 'SET endsAt = :endsAt',
      ExpressionAttributeValues: { ':endsAt': { S: endsAt } },
    });
  }

  /**
   * Frees the hosts. Idempotent, the first reason stays. Without a row it leaves a released one, so that nothing can
   * begin under this id any more.
   * @returns whether it was released by this: not when it had been before, nor when the answer to that attempt was lost
   */
  async release(experimentId: string, reason: ReleaseReason, detail: string): Promise<boolean> {
    try {
      await this.#dynamo.send(
        new UpdateItemCommand({
          TableName: this.#tableName,
          Key: { leaseId: { S: experimentId } },
          UpdateExpression:
            'SET #state = :released, releasedAt = :releasedAt, releaseReason = :reason, releaseDetail = :detail',
          ConditionExpression: 'attribute_not_exists(#state) OR #state = :hold',
          ExpressionAttributeNames: HELD.names,
          ExpressionAttributeValues: {
            ...HELD.values,
            ':released': { S: 'RELEASED' },
            ':releasedAt': { S: this.#now() },
            ':reason': { S: reason },
            ':detail': { S: detail },
          },
        }),
        this.#bounded(),
      );
      return true;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return false;
    }
  }

  async #updateHeld(
    experimentId: string,
    update: Pick<UpdateItemCommandInput, 'UpdateExpression' | 'ExpressionAttributeValues'>,
  ): Promise<Lease> {
    try {
      const { Attributes } = await this.#dynamo.send(
        new UpdateItemCommand({
          TableName: this.#tableName,
          Key: { leaseId: { S: experimentId } },
          UpdateExpression: update.UpdateExpression,
          ConditionExpression: HELD.condition,
          ExpressionAttributeNames: HELD.names,
          ExpressionAttributeValues: { ...HELD.values, ...update.ExpressionAttributeValues },
          ReturnValues: 'ALL_NEW',
        }),
        this.#bounded(),
      );
      return toLease(Attributes ?? {});
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      throw leaseReleased(experimentId, await this.read(experimentId));
    }
  }

  #bounded(): { abortSignal: AbortSignal } {
    return { abortSignal: AbortSignal.timeout(this.#withinMs) };
  }

  #now(): string {
    return new Date(this.#clock.nowEpochMs()).toISOString();
  }
}

/** The error of everyone who finds a lease that is not held any more. */
export function leaseReleased(experimentId: string, lease: Lease | undefined): WorkflowError {
  const why = lease
    ? `${lease.releaseReason ?? lease.state}: ${lease.releaseDetail ?? 'no detail'}`
    : 'there is no row';
  return new WorkflowError(ErrorName.LeaseReleased, `the lease of ${experimentId} is not held (${why})`);
}

/** Readings are for people: a row whose readings do not fit is as good as one without. */
function readingsOf(text: string | undefined): Reading[] {
  if (text === undefined) return [];
  try {
    return z.array(readingSchema).parse(JSON.parse(text));
  } catch {
    return [];
  }
}

/** Anything but an exact `HOLD` counts as released. */
function toLease(item: Record<string, AttributeValue>): Lease {
  const reason = RELEASE_REASONS.find((known) => known === item.releaseReason?.S);
  return {
    leaseId: item.leaseId?.S ?? '',
    state: item.state?.S === 'HOLD' ? 'HOLD' : 'RELEASED',
    beat: Number(item.beat?.N ?? '0'),
    grants: item.grants?.SS ?? [],
    readings: readingsOf(item.readings?.S),
    ...(item.evaluatedAt?.S ? { evaluatedAt: item.evaluatedAt.S } : {}),
    ...(item.endsAt?.S ? { endsAt: item.endsAt.S } : {}),
    ...(item.releasedAt?.S ? { releasedAt: item.releasedAt.S } : {}),
    ...(reason ? { releaseReason: reason } : {}),
    ...(item.releaseDetail?.S ? { releaseDetail: item.releaseDetail.S } : {}),
  };
}
