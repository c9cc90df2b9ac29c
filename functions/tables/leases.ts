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
import type { Clock } from '../domain/clock.ts';
import { ErrorName, WorkflowError } from '../domain/errors.ts';
import type { Reading } from '../domain/workflow.ts';

const RELEASE_REASONS = ['TTL', 'GUARDRAIL', 'ABORT', 'ALARM', 'KILL_SWITCH', 'ROLLBACK', 'SWEEP'] as const;
export type ReleaseReason = (typeof RELEASE_REASONS)[number];

/** The row that frees every host when it is not `HOLD`. */
export const KILL_SWITCH_LEASE_ID = 'GLOBAL';

/** A call to the lease table is given up after this: hosts let go by themselves when no beat arrives. */
const REQUEST_TIMEOUT_MS = 2000;

export interface Lease {
  leaseId: string;
  state: 'HOLD' | 'RELEASED';
  /** How often the guard has passed; only a higher one is news to a host. */
  beat: number;
  grants: string[];
  readings: Reading[];
  evaluatedAt?: string;
  holdUntil?: string;
  releasedAt?: string;
  releaseReason?: ReleaseReason;
  releaseDetail?: string;
}

const HELD = { condition: '#state = :hold', names: { '#state': 'state' }, values: { ':hold': { S: 'HOLD' } } } as const;

/**
 * The right of a fault to go on. One row an experiment; hosts poll it twice a second. Single-item conditional writes
 * only, and nothing here can turn RELEASED back into HOLD.
 */
export class LeaseStore {
  readonly #dynamo: DynamoDBClient;
  readonly #tableName: string;
  readonly #clock: Clock;
  readonly #requestTimeoutMs: number;

  /** @param options `requestTimeoutMs`: longest time one call may take with all its tries, 2000 if not given */
  constructor(options: { dynamo: DynamoDBClient; tableName: string; clock: Clock; requestTimeoutMs?: number }) {
    this.#dynamo = options.dynamo;
    this.#tableName = options.tableName;
    this.#clock = options.clock;
    this.#requestTimeoutMs = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
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

  /** True unless the GLOBAL row exists and holds: unknown means refuse. */
  async killSwitchEngaged(): Promise<boolean> {
    const global = await this.read(KILL_SWITCH_LEASE_ID);
    return global?.state !== 'HOLD';
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
  setHoldUntil(experimentId: string, holdUntil: string): Promise<Lease> {
    return this.#updateHeld(experimentId, {
      UpdateExpression: 'SET holdUntil = :holdUntil',
      ExpressionAttributeValues: { ':holdUntil': { S: holdUntil } },
    });
  }

  /**
   * Frees the hosts. Idempotent, the first reason stays. Without a row it leaves a released one, so that nothing can
   * begin under this id any more.
   */
  async release(experimentId: string, reason: ReleaseReason, detail: string): Promise<void> {
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
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
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
    return { abortSignal: AbortSignal.timeout(this.#requestTimeoutMs) };
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

/** Anything but an exact `HOLD` counts as released. */
function toLease(item: Record<string, AttributeValue>): Lease {
  const reason = RELEASE_REASONS.find((known) => known === item.releaseReason?.S);
  return {
    leaseId: item.leaseId?.S ?? '',
    state: item.state?.S === 'HOLD' ? 'HOLD' : 'RELEASED',
    beat: Number(item.beat?.N ?? '0'),
    grants: item.grants?.SS ?? [],
    readings: item.readings?.S ? (JSON.parse(item.readings.S) as Reading[]) : [],
    ...(item.evaluatedAt?.S ? { evaluatedAt: item.evaluatedAt.S } : {}),
    ...(item.holdUntil?.S ? { holdUntil: item.holdUntil.S } : {}),
    ...(item.releasedAt?.S ? { releasedAt: item.releasedAt.S } : {}),
    ...(reason ? { releaseReason: reason } : {}),
    ...(item.releaseDetail?.S ? { releaseDetail: item.releaseDetail.S } : {}),
  };
}
