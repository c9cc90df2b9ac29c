import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { type Cluster, secretNamesOf } from '../functions/domain/configuration.ts';
import { acknowledgeWildcard } from './acknowledge.ts';

/**
 * One thing a function may do: the IAM statements for it and the environment it needs to find the resource. They
 * travel together, so that no function knows the name of a thing it may not touch.
 */
export interface Capability {
  statements: PolicyStatement[];
  environment?: Record<string, string>;
  /** Files that it carries beside its code; paths relative to the configuration. */
  files?: readonly string[];
}

/** Allows `actions` on `resources`; the resources are never a bare `*` except where the service knows nothing finer. */
export function allow(actions: string[], resources: string[], environment: Record<string, string> = {}): Capability {
  return { statements: [new PolicyStatement({ actions, resources })], environment };
}

/** Where a service's endpoint is not called as its actions are. */
const ENDPOINTS: Record<string, string> = { cloudwatch: 'monitoring' };

/** Asked by another service in the caller's name (`kms:ViaService`), never by the caller. */
const ASKED_FOR_US: readonly string[] = ['kms'];

/** The services that whoever has these capabilities calls, by the names of their endpoints, sorted. */
export function servicesOf(capabilities: readonly Capability[]): string[] {
  const prefixes = capabilities
    .flatMap(({ statements }) => statements.flatMap(({ actions }) => actions))
    .map((action) => action.split(':')[0] ?? '');
  const called = prefixes.filter((prefix) => !ASKED_FOR_US.includes(prefix));
  return [...new Set(called.map((prefix) => ENDPOINTS[prefix] ?? prefix))].sort();
}

/** Instances, their tags and addresses. EC2's Describe actions know no resources. */
export function describeInstances(): Capability {
  return allow(['ec2:DescribeInstances'], ['*']);
}

/** Whether the Auto Scaling group of a target would replace it. */
export function describeScalingGroups(): Capability {
  return allow(['autoscaling:DescribeAutoScalingGroups'], ['*']);
}

/** Alarm states at admission; `*` because a configured name that does not exist must be readable as "missing". */
export function describeAlarms(): Capability {
  return allow(['cloudwatch:DescribeAlarms'], ['*']);
}

/**
 * What the stores of the configured clusters are opened with, and no other secret. The `-??????` is Secrets Manager's own
 * suffix; a longer wildcard would also open secrets whose names merely begin the same. A customer's key decrypts for Secrets
 * Manager only.
 */
export function openStores(scope: Construct, clusters: readonly Cluster[]): Capability {
  const stack = Stack.of(scope);
  const secretNames = [...new Set(clusters.flatMap(secretNamesOf))];
  const keys = [...new Set(clusters.flatMap(({ secretsKeyArn }) => secretsKeyArn ?? []))];
  const files = [...new Set(clusters.flatMap(({ tls }) => tls?.caFile ?? []))];
  if (secretNames.length === 0) return { statements: [], files };
  const resources = secretNames.map((secretName) =>
    stack.formatArn({
      service: 'secretsmanager',
      resource: 'secret',
      resourceName: `${secretName}-??????`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    }),
  );
  for (const resource of resources) {
    acknowledgeWildcard(stack, resource, 'One configured secret: the six characters are those that its service adds.');
  }
  const conditions = { StringEquals: { 'kms:ViaService': `secretsmanager.${stack.region}.${stack.urlSuffix}` } };
  const decrypt = new PolicyStatement({ actions: ['kms:Decrypt'], resources: keys, conditions });
  const { statements } = allow(['secretsmanager:GetSecretValue'], resources);
  return { statements: keys.length === 0 ? statements : [...statements, decrypt], files };
}
