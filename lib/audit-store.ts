import { Stack } from 'aws-cdk-lib';
import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import { allow, type Capability } from './capability.ts';
import { PROTECTED_TABLE } from './protected-table.ts';

/** Phase changes are announced on the account's default bus, where operators' own rules already listen. */
const EVENT_BUS = 'default';

/**
 * The append-only log. Writers hold `dynamodb:PartiQLInsert` alone: `PutItem` can overwrite and IAM cannot demand a
 * condition on it, while an INSERT of an existing key always fails. No role of this stack may update or delete here.
 */
export class AuditStore extends Table {
  constructor(scope: Construct, id: string) {
    super(scope, id, {
      ...PROTECTED_TABLE,
      partitionKey: { name: 'experimentId', type: AttributeType.STRING },
      sortKey: { name: 'sequence', type: AttributeType.NUMBER },
    });
  }

  read(): Capability {
    return allow(['dynamodb:GetItem', 'dynamodb:Query'], [this.tableArn], { HOLDFAST_AUDIT_TABLE: this.tableName });
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
      environment: { HOLDFAST_AUDIT_TABLE: this.tableName, HOLDFAST_EVENT_BUS: EVENT_BUS },
    };
  }
}
