import { describe, expect, it } from 'vitest';
import { BROKEN_AUDIT_LOGS } from '../../functions/domain/names.ts';
import { AuditCare } from '../../lib/audit-care.ts';
import { actionsOf, mentions, statementsFor } from './policies.ts';
import { functionAt, logicalId, ofType, stack } from './synthesized.ts';

const TOPIC = ofType('AWS::SNS::Topic').find(([id]) => id.startsWith('TopicsCRITICAL'))?.[0] ?? '';
const alarms = ofType('AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties);
const ofLogs = alarms.filter((each) => each.MetricName === BROKEN_AUDIT_LOGS.metricName);
const allowing = (entryPoint: string, action: string) =>
  statementsFor(functionAt(entryPoint)).filter((statement) => actionsOf(statement).includes(action));

describe('the log', () => {
  it('is verified and exported every day, and again when that fails', () => {
    const daily = ofType('AWS::Events::Rule').filter(
      ([, { Properties }]) => Properties.ScheduleExpression === 'rate(1 day)',
    );
    const targets = daily.map(([, { Properties }]) => Properties.Targets);
    for (const entryPoint of ['audit/verify-audit.lambda.ts', 'audit/export-audit.lambda.ts'])
      expect(targets.filter((each) => mentions(each, logicalId(functionAt(entryPoint))))).toHaveLength(1);
    expect(targets).toHaveLength(2);
  });

  it('pages when a chain is broken, and when for a day and a half nobody has looked', () => {
    const [broken, missing, ...others] = ofLogs.toSorted((a) => (a.Statistic === 'Maximum' ? -1 : 1));
    expect(others).toEqual([]);
    expect(broken).toMatchObject({
      ...{ Namespace: BROKEN_AUDIT_LOGS.namespace, Threshold: 1, Statistic: 'Maximum' },
      ...{ ComparisonOperator: 'GreaterThanOrEqualToThreshold', TreatMissingData: 'notBreaching' },
    });
    expect(missing).toMatchObject({
      ...{ Statistic: 'SampleCount', Threshold: 1, Period: 6 * 3600, EvaluationPeriods: 6 },
      ...{ ComparisonOperator: 'LessThanThreshold', TreatMissingData: 'breaching' },
    });
    for (const alarm of ofLogs) expect(alarm.AlarmActions).toEqual([{ Ref: TOPIC }]);
  });

  it('pages when its verification or its export fails', () => {
    for (const entryPoint of ['audit/verify-audit.lambda.ts', 'audit/export-audit.lambda.ts']) {
      const own = alarms.filter((each) => mentions(each.Dimensions ?? {}, logicalId(functionAt(entryPoint))));
      expect(own).toMatchObject([{ MetricName: 'Errors', Threshold: 1, AlarmActions: [{ Ref: TOPIC }] }]);
    }
  });

  it('goes into the bucket by puts below the prefix of this deployment, and by nothing else', () => {
    const puts = allowing('audit/export-audit.lambda.ts', 's3:PutObject');
    expect(puts.map(({ Action, Resource }) => [Action, Resource])).toEqual([
      ['s3:PutObject', 'arn:aws:s3:::lab-audit-archive/holdfast/Holdfast/*'],
    ]);
    const actions = statementsFor(functionAt('audit/export-audit.lambda.ts')).flatMap(actionsOf);
    expect(actions.filter((action) => action.startsWith('s3:'))).toEqual(['s3:PutObject']);
  });

  it('is only read by both', () => {
    for (const entryPoint of ['audit/verify-audit.lambda.ts', 'audit/export-audit.lambda.ts']) {
      const table = logicalId(stack.node.findChild('AuditTable') as never);
      const own = statementsFor(functionAt(entryPoint)).filter(({ Resource }) => mentions(Resource, table));
      expect([...new Set(own.flatMap(actionsOf))].sort()).toEqual(['dynamodb:GetItem', 'dynamodb:Query']);
    }
  });

  it('belongs to one construct', () => expect(stack.node.findChild('AuditCare')).toBeInstanceOf(AuditCare));
});
