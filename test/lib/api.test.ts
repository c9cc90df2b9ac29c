import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { IamAuthorizer } from '../../lab/aws/iam/authorization.ts';
import { expandPolicy } from '../../lab/aws/services/api-gateway.ts';
import type { ControlPlaneContext } from '../../lib/control-plane-context.ts';
import { ExperimentApi } from '../../lib/experiment-api.ts';
import type { ExperimentStateMachine } from '../../lib/experiment-state-machine.ts';
import { configuration } from '../functions/domain/configuration-fixtures.ts';
import { PLACE } from '../lab/aws/fixture.ts';
import { listOf, statementsOf } from './policies.ts';
import { emptyStack, ofType, resources, template } from './synthesized.ts';

const methods = ofType('AWS::ApiGateway::Method');

/** `/v1/chaos/…` of a method, from the chain of its resources: references, as CloudFormation writes them. */
function pathOf(resourceId: unknown): string {
  const id = (resourceId as { Ref?: string }).Ref;
  const resource = id === undefined ? undefined : resources[id];
  return resource ? `${pathOf(resource.Properties.ParentId)}/${resource.Properties.PathPart}` : '';
}

/** A stack with nothing but the API, of a configuration with these changes. */
function apiWith(changes: Partial<ControlPlaneContext['configuration']>) {
  const stack = emptyStack();
  // Whatever is asked of it gives a capability to do nothing.
  const nothing: object = new Proxy({}, { get: () => () => ({ statements: [] }) });
  const capability = { statements: [] };
  const context = {
    ...{ configuration: { ...configuration(), ...changes }, configurationFile: '' },
    ...{ leases: nothing, audit: nothing, reservations: nothing, locks: nothing, records: nothing, fis: nothing },
    ...{ documents: { prefix: '' }, stores: capability, instances: capability, alarms: capability },
    ...{ network: undefined, admission: nothing, topics: nothing },
  };
  new ExperimentApi(stack, 'Api', context as unknown as ControlPlaneContext, nothing as ExperimentStateMachine);
  return stack;
}

describe('API', () => {
  it('has the routes of the contract below its stage, each with IAM authorization', () => {
    const routes = methods.map(
      ([, { Properties: p }]) => `${p.HttpMethod} ${pathOf(p.ResourceId)} ${p.AuthorizationType}`,
    );
    expect(routes.sort()).toEqual([
      'DELETE /v1/chaos/kill-switch AWS_IAM',
      'GET /v1/chaos/experiments AWS_IAM',
      'GET /v1/chaos/experiments/{experimentId} AWS_IAM',
      'GET /v1/chaos/experiments/{experimentId}/status AWS_IAM',
      'GET /v1/chaos/kill-switch AWS_IAM',
      'GET /v1/chaos/schedules AWS_IAM',
      'POST /v1/chaos/experiments AWS_IAM',
      'POST /v1/chaos/experiments/{experimentId}/abort AWS_IAM',
      'POST /v1/chaos/experiments/{experimentId}/approve AWS_IAM',
      'POST /v1/chaos/kill-switch AWS_IAM',
      'POST /v1/chaos/schedules/{scheduleName}/pause AWS_IAM',
      'POST /v1/chaos/schedules/{scheduleName}/resume AWS_IAM',
      'POST /v1/chaos/schedules/{scheduleName}/run AWS_IAM',
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

  describe('its policy', () => {
    const user = (name: string) => `arn:aws:iam::${PLACE.accountId}:user/${name}`;
    const api = `arn:aws:execute-api:${PLACE.region}:${PLACE.accountId}:abc`;
    const killSwitch = { fisSafetyLever: false, reArmPrincipals: [user('lead')] };
    const [restApi] = Object.values(
      Template.fromStack(apiWith({ killSwitch, apiPrincipals: [user('dev'), user('lead')] })).findResources(
        'AWS::ApiGateway::RestApi',
      ),
    );
    const resourcePolicy = expandPolicy(restApi?.Properties.Policy, api);
    const everything = { Effect: 'Allow', Action: 'execute-api:Invoke', Resource: '*' };

    /** Whether IAM lets somebody through to a function, whose own policies let him do everything. */
    async function isAllowed(name: string, request: string): Promise<boolean> {
      const denied: string[] = [];
      const authorizer = new IamAuthorizer(PLACE.accountId, PLACE.region, ({ arn }) => denied.push(arn));
      const principal = {
        ...{ arn: user(name), identityArn: user(name), name, context: {} },
        policies: [{ name: 'all', document: { Version: '2012-10-17', Statement: [everything] } }],
      };
      const resource = `${api}/api/${request}`;
      await authorizer
        .require(principal, [{ action: 'execute-api:Invoke', resource, resourcePolicy }])
        .catch(() => undefined);
      return denied.length === 0;
    }

    it('lets only those re-arm the kill switch whom the configuration names for it, however the path is written', async () => {
      const spellings = ['kill-switch', 'kill-switch/', '/kill-switch', 'kill%2Dswitch', 'KILL-SWITCH', ''];
      for (const path of spellings.map((spelling) => `/v1/chaos/${spelling}`)) {
        expect(await isAllowed('dev', `DELETE${path}`), path).toBe(false);
        expect(await isAllowed('lead', `DELETE${path}`), path).toBe(true);
        expect(await isAllowed('nobody', `DELETE${path}`), path).toBe(false);
        for (const method of ['GET', 'POST']) expect(await isAllowed('dev', `${method}${path}`), path).toBe(true);
      }
    });

    it('takes an abort from nobody, whatever the experiment is called', async () => {
      expect(await isAllowed('dev', 'POST/v1/chaos/experiments/DELETE/abort')).toBe(true);
    });
  });

  it('leaves the role by which API Gateway writes logs for the whole account as it is, unless it is told to set it', () => {
    expect(ofType('AWS::ApiGateway::Account')).toEqual([]);
    const other = apiWith({ setApiGatewayLogRole: true });
    Template.fromStack(other).resourceCountIs('AWS::ApiGateway::Account', 1);
  });

  it('logs who called and bounds a runaway client', () => {
    template.hasResourceProperties('AWS::ApiGateway::Stage', {
      AccessLogSetting: { Format: Match.stringLikeRegexp('context.identity.caller') },
      MethodSettings: [Match.objectLike({ HttpMethod: '*', ThrottlingRateLimit: 10, ThrottlingBurstLimit: 20 })],
    });
  });
});
