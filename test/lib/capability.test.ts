import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { parseConfiguration } from '../../functions/engines/configuration.ts';
import labConfiguration from '../../lab/holdfast.config.ts';
import { lookAtCanaries } from '../../lib/admission.ts';
import { describeInstances, openStoresDuringFaults, readTelemetry } from '../../lib/capability.ts';
import { ControlFunction } from '../../lib/control-function.ts';
import { AuditTable, RecordTable } from '../../lib/tables.ts';
import { redisCluster } from '../functions/domain/configuration-fixtures.ts';
import { actionsOf, listOf, mentions, type Statement, statementsOf } from './policies.ts';
import { emptyStack } from './synthesized.ts';

const clusters = Object.values(parseConfiguration(labConfiguration).clusters);

/** What a guard may do in a deployment with the clusters of these engines. */
function statementsWith(...engines: string[]): Statement[] {
  const stack = emptyStack();
  const configured = clusters.filter(({ engine }) => engines.includes(engine));
  const made = { entry: 'guard/guard.lambda.ts', description: '', timeoutSeconds: 1, configurationFile: '' };
  new ControlFunction(stack, 'Guard', {
    ...made,
    configuration: { reservesConcurrency: false },
    capabilities: openStoresDuringFaults(stack, configured, describeInstances()),
  });
  const policies = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy'));
  return policies.flatMap(({ Properties }) => statementsOf(Properties.PolicyDocument));
}

describe('the right to ask stores while a fault lives', () => {
  /** Beside what every function may: its log and its traces. */
  const opening = (statements: Statement[]) =>
    statements
      .flatMap(actionsOf)
      .filter((action) => !/^(xray|logs):/.test(action))
      .sort();

  it('is not there where no engine is asked then: no secret, no key, no instance', () => {
    expect(opening(statementsWith('redis'))).toEqual([]);
  });

  it('is for the credentials of the clusters that are asked, and of no other', () => {
    const statements = statementsWith('redis', 'kafka');
    expect(opening(statements)).toEqual(['ec2:DescribeInstances', 'secretsmanager:GetSecretValue']);
    for (const name of ['kafka-orders', 'kafka-orders-ca'])
      expect(mentions(statements, `:secret:holdfast/${name}-??????`), name).toBe(true);
    expect(mentions(statements, 'redis')).toBe(false);
  });
});

describe('the right to look at the runs of other clusters', () => {
  const granted = (canaryFirst?: { cluster: string; withinDays: number }) => {
    const stack = emptyStack();
    const context = { records: new RecordTable(stack, 'Records'), audit: new AuditTable(stack, 'Audit') };
    return lookAtCanaries([redisCluster(), { canaryFirst }], context).flatMap(({ statements }) =>
      stack.resolve(statements.map((statement) => statement.toJSON())).flatMap(actionsOf),
    );
  };

  it('is none where no cluster comes after another, and to read alone where one does', () => {
    expect(granted()).toEqual([]);
    expect(new Set(granted({ cluster: 'canary', withinDays: 1 }))).toEqual(
      new Set(['dynamodb:Query', 'dynamodb:GetItem']),
    );
  });
});

describe('the right to read telemetry', () => {
  const granted = (...telemetry: object[]) => {
    const stack = emptyStack();
    const configured = telemetry.map((each) => redisCluster({ telemetry: each }));
    const { statements, files } = readTelemetry(stack, configured);
    return { statements: stack.resolve(statements.map((statement) => statement.toJSON())) as Statement[], files };
  };
  const basic = (secretName: string) => ({ prometheusUrl: 'https://p.example', auth: { basic: { secretName } } });
  const amp = { prometheusUrl: 'https://aps.example/workspaces/ws-1', auth: { sigV4: { region: 'us-east-1' } } };

  it('is none where Prometheus answers everybody', () => {
    expect(granted({ prometheusUrl: 'http://p.example' })).toEqual({ statements: [], files: [] });
  });

  it('is for the secrets that are configured, and for no other', () => {
    const { statements } = granted(basic('one'), basic('one'), { ...basic('two'), tls: { caSecret: 'ca' } });
    expect(statements.flatMap(actionsOf)).toEqual(['secretsmanager:GetSecretValue']);
    expect(statements.flatMap(({ Resource }) => listOf(Resource))).toHaveLength(3);
    for (const name of ['one', 'two', 'ca']) expect(mentions(statements, `:secret:${name}-??????`), name).toBe(true);
  });

  it('is for queries to the configured workspace of AMP alone', () => {
    const { statements } = granted(amp, amp);
    expect(statements.map(actionsOf)).toEqual([['aps:QueryMetrics']]);
    expect(statements.flatMap(({ Resource }) => listOf(Resource))).toHaveLength(1);
    expect(mentions(statements, ':aps:us-east-1:')).toBe(true);
    expect(mentions(statements, ':workspace/ws-1')).toBe(true);
  });

  it('carries the certificates of an authority of its own beside the code', () => {
    expect(granted({ prometheusUrl: 'https://p.example', tls: { caFile: 'ca.pem' } }).files).toEqual(['ca.pem']);
  });
});
