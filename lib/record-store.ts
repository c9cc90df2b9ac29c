import { AttributeType, ProjectionType, Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import { allow, type Capability } from './capability.ts';
import { PROTECTED_TABLE } from './protected-table.ts';

/** `chaos_experiment_logs`: one row a fault and cluster, derived from the audit log at the end of an experiment. */
export class RecordStore extends Table {
  static readonly INDEX = 'idx_chaos_experiments';

  constructor(scope: Construct, id: string) {
    super(scope, id, { ...PROTECTED_TABLE, partitionKey: { name: 'id', type: AttributeType.STRING } });
    this.addGlobalSecondaryIndex({
      indexName: RecordStore.INDEX,
      partitionKey: { name: 'target_cluster', type: AttributeType.STRING },
      sortKey: { name: 'fault_type', type: AttributeType.STRING },
      projectionType: ProjectionType.ALL,
    });
  }

  /** Records of a cluster and a fault, through the index. */
  list(): Capability {
    return this.on(['dynamodb:Query'], [`${this.tableArn}/index/${RecordStore.INDEX}`]);
  }

  write(): Capability {
    return this.on(['dynamodb:PutItem'], [this.tableArn]);
  }

  private on(actions: string[], resources: string[]): Capability {
    return allow(actions, resources, { HOLDFAST_RECORD_TABLE: this.tableName });
  }
}
