import { describe, expect, it } from 'vitest';
import { templateOf } from '../../../../functions/aws/fis/template.ts';
import { instanceStop, place, TAGS } from './fixtures.ts';

describe('the template of a fault in FIS', () => {
  it('has exactly its targets, one action, and the alarms and the guard as stop conditions', () => {
    const alarm = (name: string) => ({
      source: 'aws:cloudwatch:alarm',
      value: `arn:aws:cloudwatch:eu-west-1:111122223333:alarm:${name}`,
    });
    expect(templateOf('exp', instanceStop, ['checkout', 'stock'], place)).toEqual({
      clientToken: 'X.exp.1',
      description: 'Holdfast exp.1: INSTANCE_STOP',
      roleArn: place.roleArn,
      tags: TAGS,
      stopConditions: ['Holdfast-X-guard-heartbeat-redis-master', 'checkout', 'stock'].map(alarm),
      targets: {
        Instances: {
          resourceType: 'aws:ec2:instance',
          resourceArns: ['arn:aws:ec2:eu-west-1:111122223333:instance/i-3'],
          selectionMode: 'ALL',
        },
      },
      actions: {
        fault: {
          actionId: 'aws:ec2:stop-instances',
          parameters: { startInstancesAfterDuration: 'PT1M' },
          targets: { Instances: 'Instances' },
        },
      },
    });
  });

  it('refuses more alarms than FIS watches, and a fault without targets', () => {
    expect(() => templateOf('exp', instanceStop, ['a', 'b', 'c', 'd'], place)).not.toThrow();
    expect(() => templateOf('exp', instanceStop, ['a', 'b', 'c', 'd', 'e'], place)).toThrow(
      /has 5 alarms, .* at most 4/,
    );
    const target = { ...instanceStop.action.target, resources: [] };
    const bare = { ...instanceStop, action: { ...instanceStop.action, target } };
    expect(() => templateOf('exp', bare, [], place)).toThrow(/INSTANCE_STOP has no Instances/);
  });
});
