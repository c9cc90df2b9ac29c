import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { FIS_FAULT_KINDS, fisKindOf } from '../../functions/domain/faults/catalogue.ts';
import { GUARD_HEARTBEAT } from '../../functions/domain/names.ts';
import {
  HEARTBEAT_BOUND_SECONDS,
  HEARTBEAT_EVERY_SECONDS,
  HEARTBEAT_PERIOD_SECONDS,
} from '../../functions/domain/timing.ts';
import type { Configuration } from '../../functions/engines/configuration.ts';
import { MetricAlarm } from '../../lab/aws/services/cloudwatch-metric-alarm.ts';
import { FisAccess } from '../../lib/fis-access.ts';
import { loadConfiguration } from '../../lib/load-configuration.ts';
import { targetNode } from '../functions/domain/target-fixtures.ts';
import { actionsOf, identityPolicies, listOf, mentions, type Statement, statementsFor } from './policies.ts';
import { emptyStack, functionAt, functions, ofType, propertiesOf } from './synthesized.ts';

const inject = () => statementsFor(functionAt('inject/inject-fault.lambda.ts'));
const rollBack = () => statementsFor(functionAt('rollback/roll-back.lambda.ts'));
const ofRole = (): Statement[] =>
  identityPolicies()
    .filter(({ owner }) => owner.startsWith('FisRole'))
    .flatMap(({ statements }) => statements);
const allowing = (statements: Statement[], action: string) =>
  statements.filter((statement) => actionsOf(statement).includes(action));
const TAGGED = { StringEquals: { 'aws:ResourceTag/holdfast-target': 'true' } };
const OURS = { StringEquals: { 'aws:ResourceTag/holdfast-stack': 'Holdfast' } };
const TAGGING = { StringEquals: { 'aws:RequestTag/holdfast-stack': 'Holdfast' } };

describe('the role of FIS', () => {
  it('can be taken by FIS alone, for experiments of this account', () => {
    const [role] = ofType('AWS::IAM::Role').filter(([id]) => id.startsWith('FisRole'));
    expect(role?.[1].Properties.AssumeRolePolicyDocument).toMatchObject({
      Statement: [
        {
          Principal: { Service: 'fis.amazonaws.com' },
          Condition: {
            StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
            ArnLike: { 'aws:SourceArn': expect.anything() },
          },
        },
      ],
    });
    expect(mentions(role?.[1].Properties.AssumeRolePolicyDocument, ':experiment/*')).toBe(true);
  });

  it.each(['ec2:StopInstances', 'ec2:RebootInstances', 'ec2:PauseVolumeIO', 'ec2:InjectVolumeIOLatency'])(
    'may %s only where the target tag is',
    (action) => {
      const statements = allowing(ofRole(), action);
      expect(statements).toHaveLength(1);
      expect(statements[0]?.Condition).toEqual(TAGGED);
    },
  );

  it('changes networks only of tagged subnets, and only by what FIS itself has made', () => {
    const replace = allowing(ofRole(), 'ec2:ReplaceNetworkAclAssociation');
    expect(replace.find(({ Resource }) => mentions(Resource, ':subnet/*'))?.Condition).toEqual(TAGGED);
    const madeByFis = { StringEquals: { 'ec2:ResourceTag/managedByFIS': 'true' } };
    expect(allowing(ofRole(), 'ec2:DeleteNetworkAcl').map(({ Condition }) => Condition)).toEqual([madeByFis]);
    expect(allowing(ofRole(), 'ec2:CreateNetworkAclEntry').map(({ Condition }) => Condition)).toEqual([madeByFis]);
  });

  it('may change no network where no cluster is of tier staging', async () => {
    const { configuration } = await loadConfiguration(`${import.meta.dirname}/../../lab/holdfast.config.ts`);
    const { clusters } = configuration;
    const mayChange = (of: Configuration['clusters']) => {
      const stack = emptyStack();
      new FisAccess(stack, 'Fis', { ...configuration, clusters: of });
      return mentions(Template.fromStack(stack).toJSON(), 'NetworkAclAssociation');
    };
    const production = Object.entries(clusters).map(([name, cluster]) => [name, { ...cluster, tier: 'production' }]);
    expect(mayChange(Object.fromEntries(production))).toBe(false);
    expect(mayChange(clusters)).toBe(true);
  });

  it('grants keys to AWS services alone, through EC2', () => {
    for (const statement of [...ofRole(), ...rollBack()].filter((each) => mentions(each.Action, 'kms:'))) {
      expect(actionsOf(statement)).toEqual(['kms:CreateGrant']);
      expect(statement.Condition).toMatchObject({ Bool: { 'kms:GrantIsForAWSResource': 'true' } });
      expect(mentions(statement.Condition, 'kms:ViaService')).toBe(true);
    }
    expect(allowing(rollBack(), 'kms:CreateGrant')).toHaveLength(1);
  });
});

describe('permissions on FIS', () => {
  it('allow to make exactly the actions of the kinds, with our tag', () => {
    const [create, ...others] = allowing(inject(), 'fis:CreateExperimentTemplate');
    expect(others).toEqual([]);
    expect(create?.Condition).toEqual(TAGGING);
    const impacted = [targetNode(1, { dataVolumeIds: ['vol-1'] })];
    const fault = { faultId: 'e.1', impacted, peers: [], shardMembers: [] };
    for (const kind of FIS_FAULT_KINDS.map(fisKindOf)) {
      const parameters = kind.schema.parse(kind.example);
      const { actionId } = kind.action(parameters, fault, 60);
      expect(mentions(create?.Resource, `action/${actionId}"`), actionId).toBe(true);
    }
    expect(listOf(create?.Resource)).toHaveLength(FIS_FAULT_KINDS.length + 1);
  });

  it('allow to start, read, stop and delete only what carries our tag', () => {
    for (const statements of [inject(), rollBack()]) {
      for (const action of ['fis:GetExperiment', 'fis:StopExperiment', 'fis:DeleteExperimentTemplate']) {
        expect(allowing(statements, action).map(({ Condition }) => Condition)).toEqual([OURS]);
      }
    }
    const starts = allowing(inject(), 'fis:StartExperiment');
    expect(starts.find(({ Resource }) => mentions(Resource, ':experiment-template/*'))?.Condition).toEqual(OURS);
    expect(starts.find(({ Resource }) => mentions(Resource, ':experiment/*'))?.Condition).toEqual(TAGGING);
    expect(allowing(rollBack(), 'fis:StartExperiment')).toEqual([]);
  });

  it('pass one role, to FIS', () => {
    expect(allowing(inject(), 'iam:PassRole')).toEqual([
      expect.objectContaining({
        Resource: { 'Fn::GetAtt': [expect.stringMatching(/^FisRole/), 'Arn'] },
        Condition: { StringEquals: { 'iam:PassedToService': 'fis.amazonaws.com' } },
      }),
    ]);
  });

  it('let the rollback start instances, also one whose target tag was taken off meanwhile', () => {
    for (const statements of [rollBack(), ofRole()]) {
      const [start, ...others] = allowing(statements, 'ec2:StartInstances');
      expect(others).toEqual([]);
      expect(start).not.toHaveProperty('Condition');
      expect(actionsOf(start as Statement)).toEqual(['ec2:StartInstances']);
    }
    expect(allowing(inject(), 'ec2:StartInstances')).toEqual([]);
  });

  it('let admission and resolving see who stands in a subnet', () => {
    for (const entry of ['admission/admit.lambda.ts', 'inject/resolve-targets.lambda.ts']) {
      expect(allowing(statementsFor(functionAt(entry)), 'ec2:DescribeNetworkInterfaces')).not.toEqual([]);
    }
  });

  it('come with the name of the stack wherever something is made, found or said under it', () => {
    for (const entry of ['inject/inject-fault.lambda.ts', 'rollback/roll-back.lambda.ts', 'guard/guard.lambda.ts']) {
      const environment = propertiesOf(functionAt(entry)).Environment;
      expect(mentions(environment, '"HOLDFAST_STACK_NAME":"Holdfast"'), entry).toBe(true);
    }
  });
});

describe('the alarm over the guard', () => {
  const alarms = ofType('AWS::CloudWatch::Alarm').filter(([, { Properties }]) =>
    mentions(Properties, 'GuardHeartbeat'),
  );
  const [[logicalId, alarm] = ['', undefined]] = alarms;
  const properties = alarm?.Properties ?? {};

  it('is there for each cluster, under the name that the injection waits for, and pages nobody', async () => {
    const { configuration } = await loadConfiguration('lab/holdfast.config.ts');
    const names = Object.keys(configuration.clusters).map((cluster) => `Holdfast-Holdfast-guard-heartbeat-${cluster}`);
    expect(alarms.map(([, { Properties }]) => Properties.AlarmName)).toEqual(names);
    expect(properties).toMatchObject({ ActionsEnabled: false });
    expect(properties).not.toHaveProperty('AlarmActions');
    const environment = ofType('AWS::Lambda::Function').map(([, { Properties }]) => Properties.Environment);
    expect(environment.some((each) => mentions(each, '"Holdfast-Holdfast-guard-heartbeat-"'))).toBe(true);
  });

  it('is OK while the guard speaks as often as it does, and fires after its last word as soon as the dry run says', () => {
    const computed = new MetricAlarm({
      ...{ type: 'AWS::CloudWatch::Alarm', logicalId, name: 'x', ref: 'x', arn: undefined },
      // Of a template: JSON.
      properties: properties as never,
    });
    expect(computed.metric).toBe(
      `${GUARD_HEARTBEAT.namespace} ${GUARD_HEARTBEAT.metricName} cluster=redis-master stack=Holdfast`,
    );
    for (let phase = 0; phase < 10; phase++) {
      const beats = Array.from({ length: 20 }, (_, index) => {
        return { atMs: (phase + index * HEARTBEAT_EVERY_SECONDS) * 1000, value: 1 };
      });
      const lastMs = beats.at(-1)?.atMs ?? Number.NaN;
      // From the end of the first whole period on.
      for (let nowMs = 20_000; nowMs <= lastMs; nowMs += 1000) expect(computed.isBreached(beats, nowMs)).toBe(false);
      // The rest of the bound is CloudWatch's wait for its next evaluation.
      const firesMs = (HEARTBEAT_BOUND_SECONDS - HEARTBEAT_PERIOD_SECONDS) * 1000;
      expect(computed.isBreached(beats, lastMs + firesMs)).toBe(true);
      // What deployment puts says that there is a metric, not that anybody watches.
      const primed = beats.map(({ atMs }) => ({ atMs, value: 0 }));
      expect(computed.isBreached(primed, lastMs)).toBe(true);
    }
  });

  it('lets the guard and the deployment put that metric and no other, and nobody else', () => {
    const [put, ...others] = allowing(statementsFor(functionAt('guard/guard.lambda.ts')), 'cloudwatch:PutMetricData');
    expect(others).toEqual([]);
    expect(put?.Condition).toEqual({ StringEquals: { 'cloudwatch:namespace': 'Holdfast' } });
    const putters = functions.filter((each) =>
      allowing(statementsFor(each), 'cloudwatch:PutMetricData').some(({ Condition }) =>
        mentions(Condition, '"Holdfast"'),
      ),
    );
    expect(putters.map(({ entryPoint }) => entryPoint).sort()).toEqual([
      'guard/guard.lambda.ts',
      'kill-switch/seed-kill-switch.lambda.ts',
    ]);
  });
});
