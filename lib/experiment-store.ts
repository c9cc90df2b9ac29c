import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import { allow, type Capability } from './capability.ts';
import { PROTECTED_TABLE } from './protected-table.ts';

/** Reservations of experiment ids: what was asked, by whom. Written once; given back only when nothing was started. */
export class ExperimentStore extends Table {
  constructor(scope: Construct, id: string) {
    super(scope, id, { ...PROTECTED_TABLE, partitionKey: { name: 'experimentId', type: AttributeType.STRING } });
  }

  /** Look an id up. */
  find(): Capability {
    return allow(['dynamodb:GetItem'], [this.tableArn], { HOLDFAST_EXPERIMENT_TABLE: this.tableName });
  }

  /** The start's conditional put, and the way to give an id back under which nothing was started. */
  reserve(): Capability {
    return allow(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:DeleteItem'], [this.tableArn], {
      HOLDFAST_EXPERIMENT_TABLE: this.tableName,
    });
  }
}

/** One row a cluster under experiment, so that two experiments never share one; also the list of what runs now. */
export class LockStore extends Table {
  constructor(scope: Construct, id: string) {
    super(scope, id, { ...PROTECTED_TABLE, partitionKey: { name: 'cluster', type: AttributeType.STRING } });
  }

  /** What runs now, over all clusters: a handful of rows, so a scan. */
  list(): Capability {
    return this.on(['dynamodb:GetItem', 'dynamodb:Scan']);
  }

  /** Conditional put at the start, taken back when another cluster's lock is refused. */
  take(): Capability {
    return this.on(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:DeleteItem']);
  }

  /** Conditional delete by the experiment that holds it. */
  free(): Capability {
    return this.on(['dynamodb:GetItem', 'dynamodb:DeleteItem']);
  }

  private on(actions: string[]): Capability {
    return allow(actions, [this.tableArn], { HOLDFAST_LOCK_TABLE: this.tableName });
  }
}
