import { describe, expect, it } from 'vitest';
import { HOST_FAULT_KINDS } from '../../functions/domain/faults/catalogue.ts';
import { CLUSTER_SWITCH_IDS, SWITCH_ATTRIBUTES } from '../../functions/domain/kill-switch.ts';
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

  it('lets nobody who handles experiments write a kill switch, and each who may only with its own attributes', () => {
    const writes = allStatements().filter(
      (statement) =>
        mentions(statement.Resource, LEASE_TABLE) &&
        actionsOf(statement).some((action) => !/:(GetItem|BatchGetItem)$/.test(action)),
    );
    expect(writes.length).toBeGreaterThan(5);
    const guarded = { 'ForAllValues:StringNotLike': { 'dynamodb:LeadingKeys': [KILL_SWITCH_ID, CLUSTER_SWITCH_IDS] } };
    const unguarded = writes.filter(
      (statement) => !mentions(statement.Condition ?? {}, JSON.stringify(guarded).slice(1, -1)),
    );
    const onSwitches = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [KILL_SWITCH_ID, CLUSTER_SWITCH_IDS] } };
    const turning = (turn: keyof typeof SWITCH_ATTRIBUTES) => ({
      ...onSwitches,
      'ForAllValues:StringEquals': { 'dynamodb:Attributes': SWITCH_ATTRIBUTES[turn] },
    });
    const of = (entryPoint: string) =>
      unguarded
        .filter((statement) => statementsFor(functionAt(entryPoint)).includes(statement))
        .map(({ Condition, ...statement }) => [...actionsOf(statement), Condition]);
    expect(of('kill-switch/seed-kill-switch.lambda.ts')).toEqual([['dynamodb:PutItem', onSwitches]]);
    expect(of('api/engage-kill-switch.lambda.ts')).toEqual([['dynamodb:UpdateItem', turning('engage')]]);
    expect(of('api/re-arm-kill-switch.lambda.ts')).toEqual([['dynamodb:UpdateItem', turning('reArm')]]);
    // The lab's guard looks for cascades.
    expect(of('guard/guard.lambda.ts')).toEqual([['dynamodb:UpdateItem', turning('engage')]]);
    expect(unguarded).toHaveLength(4);
  });

  it('creates leases by INSERT only, so that nobody can put a held one over a released one', () => {
    for (const entryPoint of ['api/start-experiment.lambda.ts', 'api/approve-experiment.lambda.ts']) {
      const creating = statementsFor(functionAt(entryPoint)).filter((statement) =>
        mentions(statement.Resource, LEASE_TABLE),
      );
      expect(creating.flatMap(actionsOf).sort()).toEqual([
        'dynamodb:BatchGetItem',
        'dynamodb:GetItem',
        'dynamodb:PartiQLInsert',
        'dynamodb:UpdateItem',
      ]);
    }
  });

  it('lets the hosts read leases and nothing else', () => {
    const hostPolicy = identityPolicies().find(({ owner }) => owner.startsWith('LeaseTableHostPolicy'));
    expect(hostPolicy?.statements.map(actionsOf)).toEqual([['dynamodb:BatchGetItem']]);
    expect(hostPolicy?.statements.every((statement) => mentions(statement.Resource, LEASE_TABLE))).toBe(true);
  });

  it('sends commands from the injection and the rollback only, and each only its own documents', () => {
    expect(entryPointsThatMay('ssm:SendCommand')).toEqual([
      'api/engage-kill-switch.lambda.ts',
      'inject/inject-fault.lambda.ts',
      'rollback/roll-back.lambda.ts',
      'rollback/verify-recovery.lambda.ts',
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

  it('lets abort, alarm, alert and the end of a FIS fault release a lease but neither send a command nor start an execution', () => {
    const stoppers = [
      'api/abort-experiment.lambda.ts',
      'rollback/on-alarm.lambda.ts',
      'rollback/on-alert.lambda.ts',
      'rollback/on-fis-end.lambda.ts',
    ];
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

  it('starts executions from the start, the approval and the safety net only, and reads secrets only where a store is asked', () => {
    expect(entryPointsThatMay('states:StartExecution')).toEqual([
      'api/approve-experiment.lambda.ts',
      'api/start-experiment.lambda.ts',
      'rollback/on-execution-end.lambda.ts',
      'rollback/sweep.lambda.ts',
    ]);
    expect(entryPointsThatMay('secretsmanager:GetSecretValue')).toEqual([
      'admission/admit.lambda.ts',
      'guard/check-steady-state.lambda.ts',
      'guard/guard.lambda.ts',
      'inject/check-targets.lambda.ts',
      'inject/resolve-targets.lambda.ts',
      'probe/probe.lambda.ts',
      'rollback/verify-recovery.lambda.ts',
    ]);
  });

  it('decrypts secrets of customers’ keys in the name of Secrets Manager only, with the keys that are configured', () => {
    // Whoever reads only what of other clusters is kept in secrets has no use for this one's key.
    const readers = entryPointsThatMay('secretsmanager:GetSecretValue').filter((entryPoint) =>
      statementsFor(functionAt(entryPoint)).some(({ Resource }) => mentions(Resource, ':secret:holdfast/redis-tls-')),
    );
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

  it('lets the guard renew leases, write the log and say that it watches; and open the stores that are asked then', () => {
    const everyFunction = /^(xray|logs|ec2):(?!DescribeInstances)/;
    const actions = new Set(statementsFor(functionAt('guard/guard.lambda.ts')).flatMap(actionsOf));
    expect([...actions].filter((action) => !everyFunction.test(action)).sort()).toEqual([
      'aps:QueryMetrics',
      'cloudwatch:PutMetricData',
      'dynamodb:BatchGetItem',
      'dynamodb:GetItem',
      'dynamodb:PartiQLInsert',
      'dynamodb:Query',
      // Which clusters are under experiment, where it looks for cascades.
      'dynamodb:Scan',
      'dynamodb:UpdateItem',
      'ec2:DescribeInstances',
      'events:PutEvents',
      'secretsmanager:GetSecretValue',
    ]);
    const secrets = statementsFor(functionAt('guard/guard.lambda.ts'))
      .filter((statement) => actionsOf(statement).includes('secretsmanager:GetSecretValue'))
      .flatMap(({ Resource }) => listOf(Resource));
    expect(secrets).toHaveLength(10);
    for (const secret of secrets)
      expect(['kafka-', 'cassandra-'].some((engine) => mentions(secret, `:secret:holdfast/${engine}`))).toBe(true);
  });

  it('queries Prometheus where something is judged by it, and reads rules where a check is of an alert', () => {
    expect(entryPointsThatMay('aps:QueryMetrics')).toEqual([
      'admission/admit.lambda.ts',
      'guard/check-steady-state.lambda.ts',
      'guard/guard.lambda.ts',
      'probe/probe.lambda.ts',
      'rollback/verify-recovery.lambda.ts',
    ]);
    expect(entryPointsThatMay('aps:ListRules')).toEqual([
      'admission/admit.lambda.ts',
      'guard/check-steady-state.lambda.ts',
      'rollback/verify-recovery.lambda.ts',
    ]);
  });

  it('reads the states of alarms at admission, again before a fault, and when one of them reaches us late', () => {
    expect(entryPointsThatMay('cloudwatch:DescribeAlarms')).toEqual([
      'admission/admit.lambda.ts',
      'guard/check-steady-state.lambda.ts',
      'inject/inject-fault.lambda.ts',
      'rollback/on-alarm.lambda.ts',
    ]);
  });

  it('lets an abort look an experiment id up, and only start and approval take or give one back', () => {
    const onReservations = (entryPoint: string) =>
      statementsFor(functionAt(entryPoint))
        .filter((statement) => mentions(statement.Resource, EXPERIMENT_TABLE))
        .flatMap(actionsOf);
    expect(onReservations('api/abort-experiment.lambda.ts')).toEqual(['dynamodb:GetItem']);
    for (const [entryPoint, cursor] of [
      ['audit/export-audit.lambda.ts', 'CURSOR#exported'],
      ['audit/verify-audit.lambda.ts', 'CURSOR#verified'],
    ] as const) {
      const own = statementsFor(functionAt(entryPoint)).filter(({ Resource }) => mentions(Resource, EXPERIMENT_TABLE));
      expect(own.flatMap(actionsOf)).toEqual(['dynamodb:GetItem', 'dynamodb:PutItem']);
      expect(own[0]?.Condition).toEqual({ 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [cursor] } });
    }
    const turns = statementsFor(functionAt('schedule/run-schedule.lambda.ts')).filter(({ Resource }) =>
      mentions(Resource, EXPERIMENT_TABLE),
    );
    expect(turns.flatMap(actionsOf)).toEqual(['dynamodb:DeleteItem', 'dynamodb:PutItem']);
    expect(turns[0]?.Condition).toEqual({ 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['SCHEDULE#*#*'] } });
    const holders = functions.filter(({ entryPoint }) => onReservations(entryPoint).length > 0);
    expect(holders.map(({ entryPoint }) => entryPoint).sort()).toEqual([
      'api/abort-experiment.lambda.ts',
      'api/approve-experiment.lambda.ts',
      'api/start-experiment.lambda.ts',
      'audit/export-audit.lambda.ts',
      'audit/verify-audit.lambda.ts',
      'schedule/run-schedule.lambda.ts',
    ]);
  });

  it('publishes to people from the telling function, from the start where starts are announced, and from the sweep where the log is down', () => {
    expect(entryPointsThatMay('sns:Publish')).toEqual([
      'api/approve-experiment.lambda.ts',
      'api/start-experiment.lambda.ts',
      'notify/notify.lambda.ts',
      'rollback/sweep.lambda.ts',
    ]);
    const published = (entryPoint: string) =>
      statementsFor(functionAt(entryPoint))
        .filter((statement) => actionsOf(statement).includes('sns:Publish'))
        .flatMap(({ Resource }) => listOf(Resource as { Ref: string }))
        .map(({ Ref }) => Ref.replace(/[0-9A-F]{8}$/, ''));
    for (const entryPoint of ['api/start-experiment.lambda.ts', 'api/approve-experiment.lambda.ts'])
      expect(published(entryPoint)).toEqual(['TopicsINFO']);
    expect(published('rollback/sweep.lambda.ts')).toEqual(['TopicsCRITICAL']);
    expect(published('notify/notify.lambda.ts').sort()).toEqual(['TopicsCRITICAL', 'TopicsINFO', 'TopicsWARNING']);
  });

  it('lets the wait for an announced start ask, and do nothing', () => {
    const everyFunction = /^(xray|logs):/;
    const actions = new Set(statementsFor(functionAt('admission/await-start.lambda.ts')).flatMap(actionsOf));
    expect([...actions].filter((action) => !everyFunction.test(action)).sort()).toEqual([
      'dynamodb:BatchGetItem',
      'dynamodb:GetItem',
      'dynamodb:Query',
      'lambda:InvokeFunction',
    ]);
  });

  it('gives every function a role of its own', () => {
    const roles = functions.map((candidate) => candidate.role?.roleArn);
    expect(new Set(roles).size).toBe(functions.length);
    expect(ofType('AWS::Lambda::Function').length).toBe(functions.length);
  });
});
