import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { IamAuthorizer } from '../../../../lab/aws/iam/authorization.ts';
import type { Principal } from '../../../../lab/aws/protocol/principal.ts';
import { readAmp } from '../../../../lab/aws/services/amp.ts';
import { resolveTemplate } from '../../../../lab/aws/template/template.ts';
import { PLACE } from '../fixture.ts';

const WORKSPACE = 'arn:aws:aps:eu-west-1:111122223333:workspace/ws-1';
const TOPIC = 'arn:aws:sns:eu-west-1:111122223333:Test-Alerts';
const group = (change: object = {}) => ({
  name: 'one',
  interval: '30s',
  rules: [{ alert: 'A', expr: '1' }],
  ...change,
});
const receiver = (change: object = {}) => ({ topic_arn: TOPIC, sigv4: { region: 'eu-west-1' }, ...change });

function read(groups: object[] = [group()], configs: Record<string, object[]> = { sns_configs: [receiver()] }) {
  const config = stringify({ route: { receiver: 'x' }, receivers: [{ name: 'x', ...configs }] });
  const template = resolveTemplate(
    {
      Resources: {
        Workspace: {
          Type: 'AWS::APS::Workspace',
          Properties: { AlertManagerDefinition: stringify({ alertmanager_config: config }) },
        },
        Rules: {
          Type: 'AWS::APS::RuleGroupsNamespace',
          Properties: { Workspace: { 'Fn::GetAtt': ['Workspace', 'Arn'] }, Name: 'n', Data: stringify({ groups }) },
        },
      },
    },
    PLACE,
    new Map(),
  );
  const minted: Principal[] = [];
  const amp = readAmp(template, (principal) => {
    minted.push(principal);
    return { accessKeyId: 'a', secretAccessKey: 'b' };
  });
  return { amp, principal: minted[0], workspaceArn: template.attribute('Workspace', 'Arn') };
}

describe('what stands in for AMP', () => {
  it('runs the rules and the definition of the template', () => {
    const { amp } = read();
    expect(amp?.rules).toBe(stringify({ groups: [group()] }));
    expect(amp?.alertmanager).toContain(TOPIC);
  });

  it.each<[what: string, groups: object[], configs: Record<string, object[]>, why: RegExp]>([
    ['rules that are evaluated more often than every 30 s', [group({ interval: '29s' })], {}, /interval 29s/],
    ['more rules in a group than 20', [group({ rules: Array.from({ length: 21 }, () => ({})) })], {}, /21 rules/],
    ['a receiver that is not SNS', [group()], { webhook_configs: [{}] }, /webhook_configs/],
    ['another address of SNS', [group()], { sns_configs: [receiver({ api_url: 'https://x' })] }, /api_url/],
    ['a receiver without a Region', [group()], { sns_configs: [receiver({ sigv4: {} })] }, /sigv4\.region/],
  ])('refuses %s', (_what, groups, configs, why) => {
    expect(() => read(groups, { sns_configs: [receiver()], ...configs })).toThrow(why);
  });

  it('signs as its workspace, which a policy of the topic can tell from another', async () => {
    const { principal, workspaceArn } = read();
    if (!principal) throw new Error('nobody signs');
    const authorizer = new IamAuthorizer(PLACE.accountId, PLACE.region, () => {});
    const publishTo = (sourceArn: string) =>
      authorizer.require(principal, [
        {
          ...{ action: 'sns:Publish', resource: TOPIC },
          resourcePolicy: {
            Version: '2012-10-17',
            Statement: [
              {
                ...{
                  Effect: 'Allow',
                  Principal: { Service: 'aps.amazonaws.com' },
                  Action: 'sns:Publish',
                  Resource: TOPIC,
                },
                Condition: { ArnEquals: { 'aws:SourceArn': sourceArn } },
              },
            ],
          },
        },
      ]);
    await publishTo(workspaceArn);
    await expect(publishTo(WORKSPACE)).rejects.toThrow(/not authorized/);
  });
});
