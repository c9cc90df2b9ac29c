import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import {
  AttributeType,
  BillingMode,
  ProjectionType,
  Table,
  TableEncryption,
  type TableProps,
} from 'aws-cdk-lib/aws-dynamodb';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { CLUSTER_SWITCH_IDS, SWITCH_ATTRIBUTES } from '../functions/domain/kill-switch.ts';
import {
  AUDIT_INDEX,
  type CursorName,
  cursorKey,
  ENVIRONMENT,
  EXPIRY_ATTRIBUTE,
  KILL_SWITCH_ID,
  RECORD_INDEX,
  scheduleTurnKey,
} from '../functions/domain/names.ts';
import { allow, type Capability } from './capability.ts';

/**
 * What every table of the control plane has: on demand, restorable to any second, and not deleted with the stack.
 *
 * They stay behind a first deployment that failed, too: CloudFormation could not delete what is protected from deletion.
 *
 * Encryption is by AWS-owned keys, everywhere and on purpose: leases are polled and audit entries written before each
 * step of a rollback, so a KMS outage, a throttled key or a disabled grant would stand between a host and its undo.
 */
const PROTECTED = {
  billingMode: BillingMode.PAY_PER_REQUEST,
  encryption: TableEncryption.DEFAULT,
  pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
  deletionProtection: true,
  removalPolicy: RemovalPolicy.RETAIN,
} satisfies Partial<TableProps>;

const text = (name: string) => ({ name, type: AttributeType.STRING });

/** Keys of the rows of the kill switches; no experiment may have such an id. */
const SWITCH_KEYS = [KILL_SWITCH_ID, CLUSTER_SWITCH_IDS];
const ONLY_SWITCHES = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': SWITCH_KEYS } };

/** One row an experiment and the kill switches. Hosts may only read it; only the guard's beat keeps a fault alive. */
export class LeaseTable extends Table {
  /** Attach it to the instance profiles of the targets: all a host needs, and it can change nothing. */
  readonly hostPolicy: ManagedPolicy;

  constructor(scope: Construct, id: string) {
    super(scope, id, { ...PROTECTED, partitionKey: text('leaseId') });
    this.hostPolicy = new ManagedPolicy(this, 'HostPolicy', {
      description: 'Holdfast hosts: read the lease that keeps a fault alive.',
      statements: [new PolicyStatement({ actions: ['dynamodb:BatchGetItem'], resources: [this.tableArn] })],
    });
  }

  /** Read an experiment's lease and the kill switches. */
  read(): Capability {
    return this.on(['dynamodb:GetItem', 'dynamodb:BatchGetItem']);
  }

  /** Create an experiment's lease at its start, never over another: an INSERT of an existing key fails. */
  create(): Capability {
    return this.onExperimentRows(['dynamodb:PartiQLInsert']);
  }

  /** Grant, renew or release an experiment's lease by conditional updates. */
  update(): Capability {
    return this.onExperimentRows(['dynamodb:UpdateItem']);
  }

  /** Create the kill switches, and nothing else. */
  seedKillSwitches(): Capability {
    return this.on(['dynamodb:PutItem'], ONLY_SWITCHES);
  }

  /** Write a kill switch, with the attributes of an engagement alone. That it only releases is its code's: IAM sees no values. */
  engageKillSwitch(): Capability {
    return this.turnKillSwitch('engage');
  }

  /** Let experiments start again. */
  reArmKillSwitch(): Capability {
    return this.turnKillSwitch('reArm');
  }

  private turnKillSwitch(turn: keyof typeof SWITCH_ATTRIBUTES): Capability {
    return this.on(['dynamodb:UpdateItem'], {
      ...ONLY_SWITCHES,
      'ForAllValues:StringEquals': { 'dynamodb:Attributes': SWITCH_ATTRIBUTES[turn] },
    });
  }

  /** No function that handles experiments may write a kill switch, not even through a forged experiment id. */
  private onExperimentRows(actions: string[]): Capability {
    return this.on(actions, { 'ForAllValues:StringNotLike': { 'dynamodb:LeadingKeys': SWITCH_KEYS } });
  }

  private on(actions: string[], conditions: Record<string, Record<string, string[]>> = {}): Capability {
    return {
      statements: [new PolicyStatement({ actions, resources: [this.tableArn], conditions })],
      environment: { [ENVIRONMENT.leaseTable]: this.tableName },
    };
  }
}

/** Phase changes are announced on the account's default bus, where operators' own rules already listen. */
const EVENT_BUS = 'default';

/**
 * The append-only log. Writers hold `dynamodb:PartiQLInsert` alone: `PutItem` can overwrite and IAM cannot demand a
 * condition on it, while an INSERT of an existing key always fails. No role of this stack may update or delete here.
 */
export class AuditTable extends Table {
  constructor(scope: Construct, id: string) {
    super(scope, id, {
      ...PROTECTED,
      partitionKey: text('experimentId'),
      sortKey: { name: 'sequence', type: AttributeType.NUMBER },
    });
    this.addGlobalSecondaryIndex({
      indexName: AUDIT_INDEX,
      partitionKey: text('type'),
      sortKey: text('at'),
      projectionType: ProjectionType.KEYS_ONLY,
    });
  }

  read(): Capability {
    return this.on(['dynamodb:GetItem', 'dynamodb:Query']);
  }

  /** Read, and find by type and time. */
  walk(): Capability {
    const { statements, environment = {} } = this.read();
    const index = allow(['dynamodb:Query'], [`${this.tableArn}/index/${AUDIT_INDEX}`]);
    return { statements: [...statements, ...index.statements], environment };
  }

  /** Append an entry (reading the last one for the chain) and announce it. */
  append(): Capability {
    const bus = Stack.of(this).formatArn({ service: 'events', resource: 'event-bus', resourceName: EVENT_BUS });
    return {
      statements: [
        ...this.read().statements,
        ...allow(['dynamodb:PartiQLInsert'], [this.tableArn]).statements,
        ...allow(['events:PutEvents'], [bus]).statements,
      ],
      environment: { [ENVIRONMENT.auditTable]: this.tableName, [ENVIRONMENT.eventBus]: EVENT_BUS },
    };
  }

  private on(actions: string[]): Capability {
    return allow(actions, [this.tableArn], { [ENVIRONMENT.auditTable]: this.tableName });
  }
}

/** Reservations of experiment ids: what was asked, by whom. Written once; given back only when nothing was started. */
export class ReservationTable extends Table {
  constructor(scope: Construct, id: string) {
    super(scope, id, {
      ...PROTECTED,
      partitionKey: text('experimentId'),
      // Only notes of admissions and turns of schedules have it; a reservation stays.
      timeToLiveAttribute: EXPIRY_ATTRIBUTE,
    });
  }

  /** Look an id up. */
  find(): Capability {
    return this.on(['dynamodb:GetItem']);
  }

  /** The start's conditional put, and giving an id back under which nothing was started. */
  reserve(): Capability {
    return this.on(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:DeleteItem']);
  }

  /** Keep one cursor, and touch no reservation. */
  cursor(name: CursorName): Capability {
    const conditions = { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [cursorKey(name)] } };
    return this.on(['dynamodb:GetItem', 'dynamodb:PutItem'], conditions);
  }

  /** Take and give back turns of schedules, and touch no reservation. */
  scheduleTurns(): Capability {
    const conditions = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [scheduleTurnKey('*', '*')] } };
    return this.on(['dynamodb:PutItem', 'dynamodb:DeleteItem'], conditions);
  }

  private on(actions: string[], conditions: Record<string, Record<string, string[]>> = {}): Capability {
    return {
      statements: [new PolicyStatement({ actions, resources: [this.tableArn], conditions })],
      environment: { [ENVIRONMENT.experimentTable]: this.tableName },
    };
  }
}

/** One row a cluster under experiment, so that two experiments never share one; also the list of what runs now. */
export class LockTable extends Table {
  constructor(scope: Construct, id: string) {
    super(scope, id, { ...PROTECTED, partitionKey: text('cluster') });
  }

  /** What runs now, over all clusters: a handful of rows, so a scan. */
  list(): Capability {
    return this.on(['dynamodb:GetItem', 'dynamodb:Scan']);
  }

  /** Conditional put at the start, given back when another cluster's lock is refused. */
  take(): Capability {
    return this.on(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:DeleteItem']);
  }

  /** Conditional delete by the experiment that holds it. */
  free(): Capability {
    return this.on(['dynamodb:GetItem', 'dynamodb:DeleteItem']);
  }

  private on(actions: string[]): Capability {
    return allow(actions, [this.tableArn], { [ENVIRONMENT.lockTable]: this.tableName });
  }
}

/** `chaos_experiment_logs`: one row a fault and cluster, derived from the audit log at the end of an experiment. */
export class RecordTable extends Table {
  constructor(scope: Construct, id: string) {
    super(scope, id, { ...PROTECTED, partitionKey: text('id') });
    this.addGlobalSecondaryIndex({
      indexName: RECORD_INDEX,
      partitionKey: text('target_cluster'),
      sortKey: text('fault_type'),
      projectionType: ProjectionType.ALL,
    });
  }

  /** Records of a cluster and a fault, through the index. */
  list(): Capability {
    return this.on(['dynamodb:Query'], [`${this.tableArn}/index/${RECORD_INDEX}`]);
  }

  write(): Capability {
    return this.on(['dynamodb:PutItem'], [this.tableArn]);
  }

  private on(actions: string[], resources: string[]): Capability {
    return allow(actions, resources, { [ENVIRONMENT.recordTable]: this.tableName });
  }
}
