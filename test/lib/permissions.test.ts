import { describe, expect, it } from 'vitest';
import { HOST_FAULT_KINDS } from '../../functions/domain/faults/catalogue.ts';
import { KILL_SWITCH_ID } from '../../functions/domain/names.ts';
import labConfiguration from '../../lab/holdfast.config.ts';
import { actionsFor, actionsOf, allStatements, identityPolicies, listOf, mentions, statementsFor } from './policies.ts';
import { functionAt, functions, logicalId, ofType, stack } from './synthesized.ts';

const AUDIT_TABLE = logicalId(stack.node.findChild('AuditTable'));
const EXPERIMENT_TABLE = logicalId(stack.node.findChild('ExperimentTable'));
const LEASE_TABLE = logicalId(stack.node.findChild('LeaseTable'));
const entryPointsThatMay = (action: string) =>
  functions
    .filter((candidate) => statementsFor(candidate).some((statement) => actionsOf(statement).includes(action)))
    .map(({ entryPoint }) => entryPoint)
    .sort();

const sendsFrom = (entryPoint: string) =>
  statementsFor(functionAt(entryPoint)).filter((statement) => actionsOf(statement).includes('ssm:SendCommand'));

/** Actions that know no resources; each has its reason where it is granted. */
const WITHOUT_RESOURCES = [
  /^xray:/,
  /^logs:(\w+LogDelivery|\w+LogDeliveries|PutResourcePolicy|DescribeResourcePolicies|DescribeLogGroups)$/,
  /^ec2:(Create|Describe|Delete)NetworkInterfaces?$/,
  /^ec2:Describe(Subnets|Instances|InstanceTypes|Volumes|Vpcs|NetworkAcls|ManagedPrefixLists)$/,
  /^fis:List(Experiments|ExperimentTemplates)$/,
  /^tag:GetResources$/,
  // In one namespace only.
  /^cloudwatch:PutMetricData$/,
  /^ec2:(Una|A)ssignPrivateIpAddresses$/,
  /^cloudwatch:DescribeAlarms$/,
  /^autoscaling:DescribeAutoScalingGroups$/,
  /^ssm:GetCommandInvocation$/,
];

describe('permissions', () => {
  it('lets no role update, overwrite or delete an audit entry', () => {
    const onAudit = allStatements().filter((statement) => mentions(statement.Resource, AUDIT_TABLE));
    expect(onAudit.length).toBeGreaterThan(5);
    const actions = new Set(onAudit.flatMap(actionsOf));
    expect([...actions].sort()).toEqual(['dynamodb:GetItem', 'dynamodb:PartiQLInsert', 'dynamodb:Query']);
  });

  it('grants nothing with a wildcard in its action, and no action on * that knows resources', () => {
    for (const statement of allStatements()) {
      for (const action of actionsOf(statement)) {
        expect(action).not.toContain('*');
        if (!listOf(statement.Resource).includes('*')) continue;
        expect(
          WITHOUT_RESOURCES.some((known) => known.test(action)),
          `${action} on *`,
        ).toBe(true);
      }
    }
  });

  it('lets only the deployment write the kill switch', () => {
    const writes = allStatements().filter(
      (statement) =>
        mentions(statement.Resource, LEASE_TABLE) &&
        actionsOf(statement).some((action) => !/:(GetItem|BatchGetItem)$/.test(action)),
    );
    expect(writes.length).toBeGreaterThan(5);
    const guarded = { 'ForAllValues:StringNotEquals': { 'dynamodb:LeadingKeys': [KILL_SWITCH_ID] } };
    const unguarded = writes.filter(
      (statement) => !mentions(statement.Condition ?? {}, JSON.stringify(guarded).slice(1, -1)),
    );
    expect(unguarded.flatMap(actionsOf)).toEqual(['dynamodb:PutItem']);
    expect(statementsFor(functionAt('kill-switch/seed-kill-switch.lambda.ts'))).toContainEqual(unguarded[0]);
  });

  it('creates leases by INSERT only, so that nobody can put a held one over a released one', () => {
    const creating = statementsFor(functionAt('api/start-experiment.lambda.ts')).filter((statement) =>
      mentions(statement.Resource, LEASE_TABLE),
    );
    expect(creating.flatMap(actionsOf).sort()).toEqual([
      'dynamodb:BatchGetItem',
      'dynamodb:GetItem',
      'dynamodb:PartiQLInsert',
      'dynamodb:UpdateItem',
    ]);
  });

  it('lets the hosts read leases and nothing else', () => {
    const hostPolicy = identityPolicies().find(({ owner }) => owner.startsWith('LeaseTableHostPolicy'));
    expect(hostPolicy?.statements.map(actionsOf)).toEqual([['dynamodb:BatchGetItem']]);
    expect(hostPolicy?.statements.every((statement) => mentions(statement.Resource, LEASE_TABLE))).toBe(true);
  });

  it('sends commands from the injection and the rollback only, and each only its own documents', () => {
    expect(entryPointsThatMay('ssm:SendCommand')).toEqual([
      'inject/inject-fault.lambda.ts',
      'rollback/roll-back.lambda.ts',
    ]);
    const documentsOf = (entryPoint: string) =>
      sendsFrom(entryPoint).flatMap(({ Resource }) => listOf(Resource).filter((each) => mentions(each, ':document/')));
    const rollBack = documentsOf('rollback/roll-back.lambda.ts');
    expect(rollBack).toHaveLength(1);
    expect(mentions(rollBack, 'document/Holdfast-Holdfast-roll-back"')).toBe(true);
    const inject = documentsOf('inject/inject-fault.lambda.ts');
    expect(inject).toHaveLength(HOST_FAULT_KINDS.length);
    for (const document of inject) expect(mentions(document, 'document/Holdfast-Holdfast-')).toBe(true);
    expect(mentions(inject, 'roll-back')).toBe(false);
  });

  it('injects only on tagged instances, and rolls back on any, though somebody took the tag away', () => {
    const onInstances = (entryPoint: string) =>
      sendsFrom(entryPoint).filter(({ Resource }) => mentions(Resource, ':instance/*'));
    expect(onInstances('inject/inject-fault.lambda.ts')).toEqual([
      expect.objectContaining({ Condition: { StringEquals: { 'ssm:resourceTag/holdfast-target': 'true' } } }),
    ]);
    const [rollBack, ...others] = onInstances('rollback/roll-back.lambda.ts');
    expect(others).toEqual([]);
    expect(rollBack).not.toHaveProperty('Condition');
  });

  it('lets abort, alarm and the end of a FIS fault release a lease but neither send a command nor start an execution', () => {
    const stoppers = ['api/abort-experiment.lambda.ts', 'rollback/on-alarm.lambda.ts', 'rollback/on-fis-end.lambda.ts'];
    for (const entryPoint of stoppers) {
      const stopper = functionAt(entryPoint);
      expect(actionsFor(stopper, 'dynamodb')).toContain('dynamodb:UpdateItem');
      expect([
        ...actionsFor(stopper, 'ssm'),
        ...actionsFor(stopper, 'states'),
        ...actionsFor(stopper, 'lambda'),
      ]).toEqual([]);
    }
  });

  it('starts executions from the start and the safety net only, and reads secrets only where a store is asked', () => {
    expect(entryPointsThatMay('states:StartExecution')).toEqual([
      'api/start-experiment.lambda.ts',
      'rollback/on-execution-end.lambda.ts',
      'rollback/sweep.lambda.ts',
    ]);
    expect(entryPointsThatMay('secretsmanager:GetSecretValue')).toEqual([
      'admission/admit.lambda.ts',
      'guard/check-steady-state.lambda.ts',
      'inject/check-targets.lambda.ts',
      'inject/resolve-targets.lambda.ts',
      'probe/probe.lambda.ts',
      'rollback/verify-recovery.lambda.ts',
    ]);
  });

  it('decrypts secrets of customers’ keys in the name of Secrets Manager only, with the keys that are configured', () => {
    const readers = entryPointsThatMay('secretsmanager:GetSecretValue');
    expect(entryPointsThatMay('kms:Decrypt').filter((entryPoint) => readers.includes(entryPoint))).toEqual(readers);
    for (const reader of readers) {
      const decrypting = statementsFor(functionAt(reader)).filter((each) => actionsOf(each).includes('kms:Decrypt'));
      expect(decrypting).toEqual([
        {
          Effect: 'Allow',
          Action: 'kms:Decrypt',
          Resource: labConfiguration.clusters['redis-tls']?.secretsKeyArn,
          Condition: { StringEquals: { 'kms:ViaService': expect.anything() } },
        },
      ]);
      expect(JSON.stringify(decrypting)).toContain('secretsmanager.');
    }
  });

  it('reads the states of alarms at admission and again before a fault', () => {
    expect(entryPointsThatMay('cloudwatch:DescribeAlarms')).toEqual([
      'admission/admit.lambda.ts',
      'guard/check-steady-state.lambda.ts',
      'inject/inject-fault.lambda.ts',
    ]);
  });

  it('lets an abort look an experiment id up, and only the start take or give one back', () => {
    const onReservations = (entryPoint: string) =>
      statementsFor(functionAt(entryPoint))
        .filter((statement) => mentions(statement.Resource, EXPERIMENT_TABLE))
        .flatMap(actionsOf);
    expect(onReservations('api/abort-experiment.lambda.ts')).toEqual(['dynamodb:GetItem']);
    const holders = functions.filter(({ entryPoint }) => onReservations(entryPoint).length > 0);
    expect(holders.map(({ entryPoint }) => entryPoint).sort()).toEqual([
      'api/abort-experiment.lambda.ts',
      'api/start-experiment.lambda.ts',
    ]);
  });

  it('gives every function a role of its own', () => {
    const roles = functions.map((candidate) => candidate.role?.roleArn);
    expect(new Set(roles).size).toBe(functions.length);
    expect(ofType('AWS::Lambda::Function').length).toBe(functions.length);
  });
});
