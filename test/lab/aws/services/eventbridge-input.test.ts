import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../lab/aws/protocol/json.ts';
import { transformInput } from '../../../../lab/aws/services/eventbridge-input.ts';

/** The event and the examples of EventBridge's guide, "Input transformation". */
const EVENT: JsonObject = {
  'detail-type': 'EC2 Instance State-change Notification',
  detail: { 'instance-id': 'i-0123456789', state: 'RUNNING', count: 3, tags: ['a "b"'], line: 'one\ntwo' },
};
const InputPathsMap = {
  instance: '$.detail.instance-id',
  state: '$.detail.state',
  count: '$.detail.count',
  tags: '$.detail.tags',
  line: '$.detail.line',
};
const transformed = (InputTemplate: string) => transformInput({ InputPathsMap, InputTemplate }, EVENT);

describe('an input transformer', () => {
  it('puts a value into JSON as JSON', () => {
    expect(JSON.parse(transformed('{"instance": <instance>, "state": <state>, "all": [<count>, <tags>]}'))).toEqual({
      ...{ instance: 'i-0123456789', state: 'RUNNING' },
      all: [3, ['a "b"']],
    });
  });

  it('puts a value into a text in quotes as text, which stays one line of JSON', () => {
    expect(transformed('"instance <instance> is in <state>"')).toBe('"instance i-0123456789 is in RUNNING"');
    expect(JSON.parse(transformed('"<line> <tags>"'))).toBe('one\ntwo ["a \\"b\\""]');
  });

  it.each([
    ['a name without a path', '{"a": <other>}'],
    ['a name in quotes within JSON', '{"a": "<instance>"}'],
    ['a predefined name', '<aws.events.event.json>'],
    ['what is no JSON', '{"a": <instance>'],
  ])('refuses %s rather than to guess', (_what, template) => {
    expect(() => transformed(template)).toThrow();
  });

  it('refuses a path that leads nowhere in the event', () => {
    const transformer = { InputPathsMap: { a: '$.detail.absent' }, InputTemplate: '{"a": <a>}' };
    expect(() => transformInput(transformer, EVENT)).toThrow('$.detail.absent leads nowhere');
  });
});
