// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders are CloudFormation's, in Fn::Sub
import { describe, expect, it } from 'vitest';
import { parseInsert } from '../../../../lab/aws/services/dynamodb-partiql.ts';
import { matchesPattern } from '../../../../lab/aws/services/eventbridge-pattern.ts';
import type { JsonObject } from '../../../../lab/aws/template/intrinsics.ts';
import { resolveTemplate } from '../../../../lab/aws/template/template.ts';
import { PLACE } from '../fixture.ts';

const resolved = (resources: JsonObject, more: JsonObject = {}) =>
  resolveTemplate({ Resources: resources, ...more }, PLACE, new Map());
const table = (properties: JsonObject): JsonObject => ({
  Table: { Type: 'AWS::DynamoDB::Table', Properties: properties },
});

describe('the template', () => {
  it('refuses a resource type that nobody stands in for', () => {
    expect(() => resolved({ Queue: { Type: 'AWS::SQS::Queue' } })).toThrow(
      /Queue: the lab has no stand-in for resource type AWS::SQS::Queue/,
    );
  });

  it('refuses an intrinsic that it does not know', () => {
    expect(() => resolved(table({ Tags: [{ 'Fn::Transform': 'x' }] }))).toThrow(/Fn::Transform/);
  });

  it('resolves names, ARNs, conditions and text as CloudFormation does', () => {
    const template = resolved(
      {
        ...table({
          TableName: { 'Fn::If': ['IsProd', 'prod', { 'Fn::Join': ['-', ['a', { Ref: 'AWS::Region' }]] }] },
          Absent: { Ref: 'AWS::NoValue' },
        }),
        Topic: {
          Type: 'AWS::SNS::Topic',
          Properties: {
            DisplayName: {
              'Fn::Sub': [
                '${x} ${Table} ${Table.Arn} ${!y}',
                { x: { 'Fn::Select': [1, { 'Fn::Split': ['/', 'a/b'] }] } },
              ],
            },
          },
        },
      },
      {
        Conditions: { IsProd: { 'Fn::Equals': [{ Ref: 'Stage' }, 'prod'] } },
        Parameters: { Stage: { Type: 'String', Default: 'test' } },
      },
    );
    const [first, topic] = template.resources;
    expect(first).toMatchObject({
      name: 'a-eu-west-1',
      arn: 'arn:aws:dynamodb:eu-west-1:111122223333:table/a-eu-west-1',
    });
    expect(first?.properties).not.toHaveProperty('Absent');
    expect(topic?.properties.DisplayName).toBe(
      'b a-eu-west-1 arn:aws:dynamodb:eu-west-1:111122223333:table/a-eu-west-1 ${y}',
    );
  });
});

describe('event patterns', () => {
  const event = {
    source: 'aws.cloudwatch',
    detail: { alarmName: 'p99', state: { value: 'ALARM' } },
    resources: ['arn:x:alarm:p99'],
  };
  it.each([
    [{ source: ['aws.cloudwatch'], detail: { state: { value: ['ALARM'] } } }, true],
    [{ detail: { state: { value: ['OK'] } } }, false],
    [{ resources: [{ prefix: 'arn:x:' }] }, true],
    [{ detail: { alarmName: [{ 'anything-but': ['p99'] }] } }, false],
    [{ detail: { missing: [{ exists: false }] } }, true],
  ])('%j matches: %j', (pattern, matches) => {
    expect(matchesPattern(pattern, event)).toBe(matches);
  });

  it('refuses an operator that it does not know', () => {
    expect(() => matchesPattern({ source: [{ wildcard: 'a*' }] }, event)).toThrow(/wildcard/);
  });
});

describe('PartiQL', () => {
  it.each([
    'UPDATE "t" SET a = ?',
    'INSERT INTO "t" VALUE {\'a\': 1}',
    'DELETE FROM "t"',
    "INSERT INTO t VALUE {'a': ?}",
  ])('refuses %s', (Statement) => {
    expect(() => parseInsert({ Statement, Parameters: [{ S: 'x' }] })).toThrow(/the lab knows only INSERT/);
  });
});
