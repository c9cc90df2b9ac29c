import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import type { ControlPlaneContext } from '../../lib/control-plane-context.ts';
import { ExperimentApi } from '../../lib/experiment-api.ts';
import type { ExperimentStateMachine } from '../../lib/experiment-state-machine.ts';
import { configuration } from '../functions/domain/configuration-fixtures.ts';
import { listOf, statementsOf } from './policies.ts';
import { emptyStack, ofType, resources, template } from './synthesized.ts';

const methods = ofType('AWS::ApiGateway::Method');

/** `/v1/chaos/…` of a method, from the chain of its resources: references, as CloudFormation writes them. */
function pathOf(resourceId: unknown): string {
  const id = (resourceId as { Ref?: string }).Ref;
  const resource = id === undefined ? undefined : resources[id];
  return resource ? `${pathOf(resource.Properties.ParentId)}/${resource.Properties.PathPart}` : '';
}

describe('API', () => {
  it('has the routes of the contract below its stage, each with IAM authorization', () => {
    const routes = methods.map(
      ([, { Properties: p }]) => `${p.HttpMethod} ${pathOf(p.ResourceId)} ${p.AuthorizationType}`,
    );
    expect(routes.sort()).toEqual([
      'GET /v1/chaos/experiments AWS_IAM',
      'GET /v1/chaos/experiments/{experimentId} AWS_IAM',
      'GET /v1/chaos/experiments/{experimentId}/status AWS_IAM',
      'POST /v1/chaos/experiments AWS_IAM',
      'POST /v1/chaos/experiments/{experimentId}/abort AWS_IAM',
    ]);
    template.hasResourceProperties('AWS::ApiGateway::Stage', { StageName: 'api', TracingEnabled: true });
  });

  it('denies every principal that the configuration does not list', () => {
    const [api] = ofType('AWS::ApiGateway::RestApi').map(([, each]) => each);
    if (!api) throw new Error('the template has no API');
    const statements = statementsOf(api.Properties.Policy);
    const listed = ['arn:aws:iam::111122223333:user/lab-operator', 'arn:aws:iam::111122223333:user/lab-administrator'];
    expect(statements.map(({ Effect, Condition }) => ({ Effect, Condition }))).toEqual([
      { Effect: 'Deny', Condition: { ArnNotLike: { 'aws:PrincipalArn': listed } } },
      { Effect: 'Allow', Condition: { ArnLike: { 'aws:PrincipalArn': listed } } },
    ]);
    for (const statement of statements) {
      expect(listOf(statement.Action)).toEqual(['execute-api:Invoke']);
      expect(statement.Resource).toBe('execute-api:/*');
    }
  });

  it('leaves the role by which API Gateway writes logs for the whole account as it is, unless it is told to set it', () => {
    expect(ofType('AWS::ApiGateway::Account')).toEqual([]);
    const other = emptyStack();
    // Whatever is asked of it gives a capability to do nothing.
    const nothing: object = new Proxy({}, { get: () => () => ({ statements: [] }) });
    const capability = { statements: [] };
    const context = {
      ...{ configuration: { ...configuration(), setApiGatewayLogRole: true }, configurationFile: '' },
      ...{ leases: nothing, audit: nothing, reservations: nothing, locks: nothing, records: nothing, fis: nothing },
      ...{ documents: { prefix: '' }, stores: capability, instances: capability, alarms: capability },
      ...{ network: undefined },
    };
    new ExperimentApi(other, 'Api', context as unknown as ControlPlaneContext, nothing as ExperimentStateMachine);
    Template.fromStack(other).resourceCountIs('AWS::ApiGateway::Account', 1);
  });

  it('logs who called and bounds a runaway client', () => {
    template.hasResourceProperties('AWS::ApiGateway::Stage', {
      AccessLogSetting: { Format: Match.stringLikeRegexp('context.identity.caller') },
      MethodSettings: [Match.objectLike({ HttpMethod: '*', ThrottlingRateLimit: 10, ThrottlingBurstLimit: 20 })],
    });
  });
});
