import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../lab/aws/protocol/json.ts';
import { matchesPattern } from '../../../../lab/aws/services/eventbridge-pattern.ts';

/** The event of EventBridge's guide, "Creating event patterns" and "Comparison operators". */
const EVENT: JsonObject = {
  version: '0',
  id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718',
  'detail-type': 'EC2 Instance State-change Notification',
  source: 'aws.ec2',
  account: '111122223333',
  time: '2017-12-22T18:43:48Z',
  region: 'us-west-1',
  resources: ['arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0'],
  detail: {
    'instance-id': 'i-1234567890abcdef0',
    state: 'terminated',
    'creation-time': '',
    'last-change': null,
    'c-count': 5,
    location: { country: 'US' },
    files: [{ name: 'a.png' }, { name: 'b.txt' }],
  },
};

describe('an event pattern', () => {
  it.each<[string, JsonObject, boolean]>([
    ['a value', { source: ['aws.ec2'] }, true],
    ['one of several values', { detail: { state: ['stopped', 'terminated'] } }, true],
    ['none of several values', { detail: { state: ['stopped', 'stopping'] } }, false],
    ['all of several fields', { source: ['aws.ec2'], detail: { state: ['terminated'] } }, true],
    ['not all of several fields', { source: ['aws.fake'], detail: { state: ['terminated'] } }, false],
    ['the very case of a text', { source: ['AWS.EC2'] }, false],
    ['an empty text', { detail: { 'creation-time': [''] } }, true],
    ['null', { detail: { 'last-change': [null] } }, true],
    ['a number', { detail: { 'c-count': [5] } }, true],
    ['no text for a number', { detail: { 'c-count': ['5'] } }, false],
    [
      'one item of a list',
      { resources: ['arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0', 'x'] },
      true,
    ],
    ['a list without that item', { resources: ['arn:aws:ec2:us-east-1:123456789012:instance/i-b188560f'] }, false],
    ['one object of a list', { detail: { files: { name: ['b.txt'] } } }, true],
    ['no object of a list', { detail: { files: { name: ['c.txt'] } } }, false],
    ['nothing below what is missing', { detail: { missing: { state: ['x'] } } }, false],
    ['a prefix', { region: [{ prefix: 'us-' }] }, true],
    ['another prefix', { region: [{ prefix: 'eu-' }] }, false],
    ['a suffix', { detail: { files: { name: [{ suffix: '.png' }] } } }, true],
    ['anything but a value', { detail: { state: [{ 'anything-but': 'initializing' }] } }, true],
    ['anything but that value', { detail: { state: [{ 'anything-but': 'terminated' }] } }, false],
    ['anything but several numbers', { detail: { 'c-count': [{ 'anything-but': [100, 200, 300] }] } }, true],
    ['anything but several texts', { detail: { state: [{ 'anything-but': ['stopped', 'terminated'] }] } }, false],
    [
      'nothing where a field is missing, whatever it may not be',
      { detail: { missing: [{ 'anything-but': 'x' }] } },
      false,
    ],
    ['a field that is there', { detail: { state: [{ exists: true }] } }, true],
    ['a field that is missing', { detail: { missing: [{ exists: false }] } }, true],
    ['no field that is there and should be missing', { detail: { state: [{ exists: false }] } }, false],
    ['only leaves as being there', { detail: { location: [{ exists: true }] } }, false],
  ])('matches %s', (_what, pattern, expected) => {
    expect(matchesPattern(pattern, EVENT)).toBe(expected);
  });

  it.each<[string, JsonObject]>([
    ['another operator', { source: [{ wildcard: 'aws.*' }] }],
    ['an operator with an operator', { detail: { state: [{ 'anything-but': { prefix: 'init' } }] } }],
    ['a prefix in another case', { source: [{ prefix: { 'equals-ignore-case': 'AWS' } }] }],
    ['two operators at once', { source: [{ prefix: 'aws', suffix: 'ec2' }] }],
    ['a bare value', { source: 'aws.ec2' }],
  ])('is refused for %s, instead of matching what AWS would not', (_what, pattern) => {
    expect(() => matchesPattern(pattern, EVENT)).toThrow(/event pattern/);
  });
});
