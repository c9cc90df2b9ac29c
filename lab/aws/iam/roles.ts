import { isObject, type Json } from '../protocol/json.ts';
import type { IdentityPolicy, Principal } from '../protocol/principal.ts';
import type { Resource, Template } from '../template/template.ts';
import { type Assumer, isTrusted } from './trust.ts';

/** The AWS managed policies that the product may attach, reduced to what matters here. */
const AWS_MANAGED: Record<string, string[]> = {
  'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole': [
    'logs:CreateLogGroup',
    'logs:CreateLogStream',
    'logs:PutLogEvents',
  ],
  'arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole': [
    'logs:CreateLogGroup',
    'logs:CreateLogStream',
    'logs:PutLogEvents',
    'ec2:CreateNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSubnets',
    'ec2:DeleteNetworkInterface',
    'ec2:AssignPrivateIpAddresses',
    'ec2:UnassignPrivateIpAddresses',
  ],
  'arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs': ['logs:PutLogEvents'],
};

const strings = (value: Json | undefined): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];

/**
 * A session of a synthesized role: its inline policies, the `AWS::IAM::Policy` and managed policies attached to it.
 * @param assumer who assumes it, and for what; the role's trust policy must say so.
 * @throws Error for a role that is not in the template, an unknown AWS managed policy, or a trust that is missing.
 */
export function rolePrincipal(template: Template, roleArn: string, assumer: Assumer, session: string): Principal {
  const role = template.ofType('AWS::IAM::Role').find((resource) => resource.arn === roleArn);
  if (role === undefined) throw new Error(`no role of the template is ${roleArn}`);
  if (!isTrusted(role.properties.AssumeRolePolicyDocument, assumer)) {
    const { service, sourceArn } = assumer;
    throw new Error(
      `${role.logicalId}: AssumeRolePolicyDocument does not trust ${service}${sourceArn ? ` for ${sourceArn}` : ''}`,
    );
  }
  const { accountId } = template.place;
  return {
    arn: `arn:aws:sts::${accountId}:assumed-role/${role.name}/${session}`,
    identityArn: roleArn,
    name: role.name,
    policies: policiesOf(template, role),
  };
}

function policiesOf(template: Template, role: Resource): IdentityPolicy[] {
  const inline = Array.isArray(role.properties.Policies) ? role.properties.Policies : [];
  const policies: IdentityPolicy[] = inline
    .filter(isObject)
    .map((policy) => ({ name: String(policy.PolicyName), document: policy.PolicyDocument }));
  const attachedByRole = strings(role.properties.ManagedPolicyArns);
  for (const policy of template.ofType('AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy')) {
    const attached = strings(policy.properties.Roles).includes(role.name) || attachedByRole.includes(policy.ref);
    if (attached) policies.push({ name: policy.name, document: policy.properties.PolicyDocument });
  }
  for (const policyArn of attachedByRole.filter((arn) => arn.startsWith('arn:aws:iam::aws:'))) {
    const actions = AWS_MANAGED[policyArn];
    if (actions === undefined) {
      throw new Error(
        `${role.logicalId}: the lab does not know ${policyArn}; known: ${Object.keys(AWS_MANAGED).join(', ')}`,
      );
    }
    policies.push({ name: policyArn, document: allow(actions) });
  }
  return policies;
}

/**
 * The role of the hosts. The stack does not own it; it publishes what such a role needs as the output
 * `HostPolicyArn`, and the lab's hosts have that policy and nothing else.
 */
export function hostPrincipal(template: Template, instanceId: string): Principal {
  const output = Object.entries(template.outputs).find(([name]) => name.startsWith('HostPolicyArn'))?.[1];
  const policy = template.ofType('AWS::IAM::ManagedPolicy').find((resource) => resource.ref === output);
  const { accountId } = template.place;
  return {
    arn: `arn:aws:sts::${accountId}:assumed-role/${HOST_ROLE_NAME}/${instanceId}`,
    identityArn: `arn:aws:iam::${accountId}:role/${HOST_ROLE_NAME}`,
    name: HOST_ROLE_NAME,
    policies: policy === undefined ? [] : [{ name: policy.name, document: policy.properties.PolicyDocument }],
  };
}
export const HOST_ROLE_NAME = 'lab-fleet-host';

/** A user with one policy of its own. */
export function userPrincipal(accountId: string, name: string, actions: string[], resources: string[]): Principal {
  const arn = `arn:aws:iam::${accountId}:user/${name}`;
  return { arn, identityArn: arn, name, policies: [{ name, document: allow(actions, resources) }] };
}

/** An AWS service acting by itself: only resource policies can allow it anything. */
export function servicePrincipal(service: string): Principal {
  return { arn: service, identityArn: service, name: service, policies: [] };
}

function allow(actions: string[], resources: string[] = ['*']): unknown {
  return { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: resources }] };
}
