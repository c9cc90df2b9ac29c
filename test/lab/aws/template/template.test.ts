// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders are CloudFormation's, in Fn::Sub
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../../lab/aws/protocol/json.ts';
import { resolveTemplate } from '../../../../lab/aws/template/template.ts';
import { PLACE } from '../fixture.ts';

const resolved = (resources: JsonObject, more: JsonObject = {}) =>
  resolveTemplate({ Resources: resources, ...more }, PLACE, new Map());
const table = (properties: JsonObject): JsonObject => ({
  Table: { Type: 'AWS::DynamoDB::Table', Properties: properties },
});

describe('the template', () => {
  it('refuses a resource type that nobody stands in for', () => {
    expect(() => resolved({ Store: { Type: 'AWS::RDS::DBInstance' } })).toThrow(
      /Store: the lab has no stand-in for resource type AWS::RDS::DBInstance/,
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

  it('looks up what the mappings say, by keys that may be references', () => {
    const mapping = { Regions: { 'eu-west-1': { zones: ['a', 'b'], name: 'Ireland' } } };
    const look = (...keys: Json[]) =>
      resolved(table({ Found: { 'Fn::FindInMap': keys } }), { Mappings: mapping }).resources[0]?.properties.Found;
    expect(look('Regions', { Ref: 'AWS::Region' }, 'name')).toBe('Ireland');
    expect(look('Regions', 'eu-west-1', 'zones')).toEqual(['a', 'b']);
    expect(() => look('Zones', 'eu-west-1', 'name')).toThrow('nothing in Mappings is called Zones');
    expect(() => look('Regions', 'eu-west-2', 'name')).toThrow('unable to get mapping for Regions::eu-west-2::name');
    expect(() => look('Regions', 'eu-west-1', 'size')).toThrow('unable to get mapping for Regions::eu-west-1::size');
    expect(() => look('Regions', 'eu-west-1')).toThrow('three keys');
  });
});
