import { describe, expect, it } from 'vitest';
import { isTrusted } from '../../../../lab/aws/iam/trust.ts';

const SERVICE = 'scheduler.amazonaws.com';
const GROUP = 'arn:aws:scheduler:eu-west-1:111122223333:schedule-group/experiments';
const trust = (Condition?: object) => ({
  Statement: [
    {
      ...{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: SERVICE } },
      ...(Condition ? { Condition } : {}),
    },
  ],
});
const asked = (condition: object | undefined, sourceArn?: string, service = SERVICE) =>
  isTrusted(trust(condition) as never, { service, ...(sourceArn ? { sourceArn } : {}) });

describe('a role of the lab', () => {
  it('is assumed by the service that its trust policy names, and by no other', () => {
    expect(asked(undefined)).toBe(true);
    expect(asked(undefined, GROUP, 'fis.amazonaws.com')).toBe(false);
    expect(isTrusted(undefined, { service: SERVICE })).toBe(false);
  });

  it.each<[string, boolean, object]>([
    ['the source', true, { StringEquals: { 'aws:SourceArn': GROUP } }],
    ['one of several', true, { StringEquals: { 'aws:SourceArn': ['arn:x', GROUP] } }],
    ['a pattern of it', true, { ArnLike: { 'aws:SourceArn': 'arn:aws:scheduler:*:111122223333:schedule-group/*' } }],
    ['its account', true, { StringEquals: { 'aws:SourceAccount': '111122223333' } }],
    ['another source', false, { StringEquals: { 'aws:SourceArn': `${GROUP}-b` } }],
    ['a pattern that StringEquals does not know', false, { StringEquals: { 'aws:SourceArn': '*' } }],
    ['a pattern over a colon', false, { ArnLike: { 'aws:SourceArn': 'arn:aws:*' } }],
    ['another account', false, { StringEquals: { 'aws:SourceAccount': '444455556666' } }],
    [
      'one of two conditions that do not both hold',
      false,
      { StringEquals: { 'aws:SourceArn': GROUP, 'aws:SourceAccount': '444455556666' } },
    ],
  ])('is assumed only where every condition holds: %s', (_what, isAssumed, condition) => {
    expect(asked(condition, GROUP)).toBe(isAssumed);
    // What was not sent holds nothing.
    expect(asked(condition)).toBe(false);
  });

  it('fails at a condition that the lab cannot judge: it would be kinder than AWS', () => {
    expect(() => asked({ IpAddress: { 'aws:SourceArn': GROUP } }, GROUP)).toThrow('IpAddress');
    expect(() => asked({ StringEquals: { 'aws:PrincipalOrgID': 'o-1' } }, GROUP)).toThrow('aws:PrincipalOrgID');
  });
});
