import { describe, expect, it } from 'vitest';
import { EXPIRY_ATTRIBUTE } from '../../functions/domain/names.ts';
import { loadConfiguration } from '../../lib/load-configuration.ts';
import { functionAt, logicalId, ofType, resources, template } from './synthesized.ts';

const { configuration } = await loadConfiguration('lab/holdfast.config.ts');
const tables = ofType('AWS::DynamoDB::Table');
const key = (name: string, type = 'HASH') => ({ AttributeName: name, KeyType: type });

describe('tables', () => {
  it('are one each for leases, log, reservations, locks and records, under ids that no deployment may lose', () => {
    const keys = Object.fromEntries(
      tables.map(([id, table]) => [id.replace(/[0-9A-F]{8}$/, ''), table.Properties.KeySchema]),
    );
    expect(keys).toEqual({
      LeaseTable: [key('leaseId')],
      AuditTable: [key('experimentId'), key('sequence', 'RANGE')],
      ExperimentTable: [key('experimentId')],
      LockTable: [key('cluster')],
      RecordTable: [key('id')],
    });
  });

  it('survive the deletion of the stack, of the table and of the data', () => {
    expect(tables.length).toBe(5);
    for (const [id, table] of tables) {
      expect(table, id).toMatchObject({
        DeletionPolicy: 'Retain',
        UpdateReplacePolicy: 'Retain',
        Properties: {
          BillingMode: 'PAY_PER_REQUEST',
          DeletionProtectionEnabled: true,
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        },
      });
    }
  });

  it('are all that a first deployment leaves behind when it fails: they are protected from deletion', () => {
    const left = Object.values(resources).filter(({ DeletionPolicy }) => DeletionPolicy === 'Retain');
    expect(left.map(({ Type }) => Type)).toEqual(tables.map(() => 'AWS::DynamoDB::Table'));
    const kept = Object.values(resources).filter(({ DeletionPolicy }) => DeletionPolicy === 'RetainExceptOnCreate');
    expect(kept.length).toBeGreaterThan(15);
  });

  it('put no KMS key between a host and its undo', () => {
    for (const [id, table] of tables) expect(table.Properties.SSESpecification, id).toEqual({ SSEEnabled: false });
  });

  it('lose by themselves nothing but the notes of admissions', () => {
    const expiring = tables.filter(([, { Properties }]) => Properties.TimeToLiveSpecification !== undefined);
    expect(
      expiring.map(([id, { Properties }]) => [id.replace(/[0-9A-F]{8}$/, ''), Properties.TimeToLiveSpecification]),
    ).toEqual([['ExperimentTable', { AttributeName: EXPIRY_ATTRIBUTE, Enabled: true }]]);
  });

  it("keep the records under the seed's composite index", () => {
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      GlobalSecondaryIndexes: [
        {
          IndexName: 'idx_chaos_experiments',
          KeySchema: [key('target_cluster'), key('fault_type', 'RANGE')],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    });
  });

  it('have a kill switch from deployment on, and one for each cluster', () => {
    const [, row] = ofType('Custom::HoldfastKillSwitch')[0] ?? [];
    const seed = logicalId(functionAt('kill-switch/seed-kill-switch.lambda.ts'));
    expect(row?.Properties.ServiceToken).toEqual({ 'Fn::GetAtt': [seed, 'Arn'] });
    // CloudFormation calls it again only when these change, as when a cluster is added.
    expect(row?.Properties.switches).toEqual([
      'GLOBAL',
      ...Object.keys(configuration.clusters).map((cluster) => `CLUSTER#${cluster}`),
    ]);
  });
});
