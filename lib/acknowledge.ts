import { Stack, Validations } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** Accepts one wildcard `resource` in the policies below `scope`; any other wildcard there stays a finding. */
export function acknowledgeWildcard(scope: Construct, resource: string, reason: string): void {
  const printed = print(Stack.of(scope).resolve(resource));
  Validations.of(scope).acknowledge({ id: `AwsSolutions-IAM5[Resource::${printed}]`, reason });
}

/** Accepts one managed policy of AWS's own. */
export function acknowledgeManagedPolicy(scope: Construct, policyArn: string, reason: string): void {
  const printed = print(Stack.of(scope).resolve(policyArn));
  Validations.of(scope).acknowledge({ id: `AwsSolutions-IAM4[Policy::${printed}]`, reason });
}

/** An ARN as cdk-nag prints it in a finding: a reference as its name in angle brackets. */
function print(resolved: unknown): string {
  if (typeof resolved === 'string') return resolved;
  const [name, argument] = Object.entries(resolved as Record<string, unknown>)[0] ?? [];
  if (name === 'Ref') return `<${String(argument)}>`;
  if (name === 'Fn::GetAtt' && Array.isArray(argument)) return `<${argument.join('.')}>`;
  if (name === 'Fn::Join' && Array.isArray(argument) && Array.isArray(argument[1]))
    return argument[1].map(print).join('');
  throw new Error(`cannot print ${JSON.stringify(resolved)}`);
}
