import { App, CfnWaitConditionHandle, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { expect, it } from 'vitest';
import { SharedLines } from '../../lib/shared-lines.ts';

const LONG = 'a'.repeat(1000);
const stackOf = () => new Stack(new App(), 'Test');

it('puts long lines of several texts into a mapping, and all others nowhere', () => {
  const stack = stackOf();
  const [one, other] = ['one', 'other'].map((own) => ['short', LONG, `${own} ${LONG}`, 'b'.repeat(1025), stack.region]);
  const shared = new SharedLines(stack, 'Lines', [one ?? [], other ?? []]);
  new CfnWaitConditionHandle(stack, 'Text').addMetadata('lines', shared.referredTo(one ?? []));
  const { Mappings, Resources } = Template.fromStack(stack).toJSON();
  const [[mapping, content] = []] = Object.entries(Mappings);
  expect(content).toEqual({ lines: { l1: LONG } });
  const reference = { 'Fn::FindInMap': [mapping, 'lines', 'l1'] };
  const expected = ['short', reference, `one ${LONG}`, 'b'.repeat(1025), { Ref: 'AWS::Region' }];
  expect(Resources.Text.Metadata.lines).toEqual(expected);
});

it('takes a line that one text has twice for no shared one', () => {
  expect(new SharedLines(stackOf(), 'Lines', [[LONG, LONG], ['b']]).referredTo([LONG])).toEqual([LONG]);
});

it('refuses more than a mapping holds', () => {
  const text = Array.from({ length: 201 }, (_, at) => `${at} ${LONG}`);
  expect(() => new SharedLines(stackOf(), 'Lines', [text, text])).toThrow('201 lines');
});
