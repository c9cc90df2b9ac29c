import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { Capability } from './capability.ts';
import { PROTECTED_TABLE } from './protected-table.ts';

/** Row of the kill switch; every host reads it with its own lease. */
const KILL_SWITCH = 'GLOBAL';

/** One row an experiment and the kill switch. Hosts may only read it; only the guard's beat keeps a fault alive. */
export class LeaseStore extends Table {
  /** Attach it to the instance profiles of the targets: all a host needs, and it can change nothing. */
  readonly hostPolicy: ManagedPolicy;

  constructor(scope: Construct, id: string) {
    super(scope, id, { ...PROTECTED_TABLE, partitionKey: { name: 'leaseId', type: AttributeType.STRING } });
    this.hostPolicy = new ManagedPolicy(this, 'HostPolicy', {
      description: 'Holdfast hosts: read the lease that keeps a fault alive.',
      statements: [new PolicyStatement({ actions: ['dynamodb:BatchGetItem'], resources: [this.tableArn] })],
    });
  }

  /** Read an experiment's lease and the kill switch. */
  read(): Capability {
    return this.on(['dynamodb:GetItem', 'dynamodb:BatchGetItem']);
  }

  /** Create an experiment's lease at its start, never over another: an INSERT of an existing key fails. */
  create(): Capability {
    return this.onExperimentRows(['dynamodb:PartiQLInsert']);
  }

  /** Grant, renew or release an experiment's lease: conditional updates, see docs/contracts.md. */
  update(): Capability {
    return this.onExperimentRows(['dynamodb:UpdateItem']);
  }

  /** Create the kill switch, and nothing else. */
  seedKillSwitch(): Capability {
    return this.on(['dynamodb:PutItem'], { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [KILL_SWITCH] } });
  }

  /** No function that handles experiments may write the kill switch, not even through a forged experiment id. */
  private onExperimentRows(actions: string[]): Capability {
    return this.on(actions, { 'ForAllValues:StringNotEquals': { 'dynamodb:LeadingKeys': [KILL_SWITCH] } });
  }

  private on(actions: string[], conditions: Record<string, Record<string, string[]>> = {}): Capability {
    return {
      statements: [new PolicyStatement({ actions, resources: [this.tableArn], conditions })],
      environment: { HOLDFAST_LEASE_TABLE: this.tableName },
    };
  }
}
