import type { ControlFunction } from '../../lib/control-function.ts';
import { ofType, propertiesOf } from './synthesized.ts';

export interface Statement {
  Effect: string;
  Action: string | string[];
  Resource: unknown;
  Condition?: Record<string, Record<string, unknown>>;
  Principal?: unknown;
}
interface AttachedPolicy {
  owner: string;
  statements: Statement[];
}

/** A policy document of the template is JSON in IAM's form: the casts of this file say no more. */
export const statementsOf = (document: unknown): Statement[] => (document as { Statement: Statement[] }).Statement;
export const listOf = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);
export const actionsOf = (statement: Statement): string[] => listOf(statement.Action);
export const mentions = (value: unknown, text: string): boolean => JSON.stringify(value).includes(text);

/** Every identity policy of the stack: attached, managed and inline. */
export function identityPolicies(): AttachedPolicy[] {
  const attached = [...ofType('AWS::IAM::Policy'), ...ofType('AWS::IAM::ManagedPolicy')];
  const inline = ofType('AWS::IAM::Role').flatMap(([owner, role]) =>
    ((role.Properties.Policies ?? []) as { PolicyDocument: unknown }[]).map(({ PolicyDocument }) => ({
      owner,
      statements: statementsOf(PolicyDocument),
    })),
  );
  return [
    ...attached.map(([owner, policy]) => ({ owner, statements: statementsOf(policy.Properties.PolicyDocument) })),
    ...inline,
  ];
}

export const allStatements = (): Statement[] => identityPolicies().flatMap(({ statements }) => statements);

/** What the role of one function may do. */
export function statementsFor(controlFunction: ControlFunction): Statement[] {
  const role = (propertiesOf(controlFunction).Role as { 'Fn::GetAtt': [string] })['Fn::GetAtt'][0];
  const attached = ofType('AWS::IAM::Policy').filter(([, policy]) => mentions(policy.Properties.Roles, role));
  return attached.flatMap(([, policy]) => statementsOf(policy.Properties.PolicyDocument));
}

/** Actions of one service, for example `ssm`. */
export function actionsFor(controlFunction: ControlFunction, service: string): string[] {
  const actions = statementsFor(controlFunction).flatMap(actionsOf);
  return actions.filter((action) => action.startsWith(`${service}:`)).sort();
}
