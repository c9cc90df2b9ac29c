import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { type Cluster, secretNamesOf } from '../functions/domain/configuration.ts';
import { BROKEN_AUDIT_LOGS, ENVIRONMENT } from '../functions/domain/names.ts';
import { telemetrySecretNames, workspaceOf } from '../functions/domain/telemetry-access.ts';
import type { EngineCluster } from '../functions/engines/configuration.ts';
import { engineOf } from '../functions/engines/registry.ts';
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
const ENDPOINTS: Record<string, string> = { aps: 'aps-workspaces', cloudwatch: 'monitoring' };

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

/** Whether the change calendars of the clusters are open. */
export function readChangeCalendars(
  scope: Construct,
  clusters: readonly Pick<Cluster, 'changeCalendar'>[],
): Capability {
  const names = [...new Set(clusters.flatMap(({ changeCalendar }) => changeCalendar ?? []))];
  if (names.length === 0) return { statements: [] };
  const resources = names.map((resourceName) =>
    Stack.of(scope).formatArn({ service: 'ssm', resource: 'document', resourceName }),
  );
  return allow(['ssm:GetCalendarState'], resources);
}

/** Say how many logs are broken: no other metric, and CloudWatch knows nothing finer than a namespace. */
export function putBrokenAuditLogs(scope: Construct): Capability {
  const conditions = { StringEquals: { 'cloudwatch:namespace': BROKEN_AUDIT_LOGS.namespace } };
  return {
    statements: [new PolicyStatement({ actions: ['cloudwatch:PutMetricData'], resources: ['*'], conditions })],
    environment: { [ENVIRONMENT.stackName]: Stack.of(scope).stackName },
  };
}

/** For who asks stores while a fault lives: only those whose engine is asked then. Where there is none, nothing at all. */
export function openStoresDuringFaults(
  scope: Construct,
  clusters: readonly EngineCluster[],
  instances: Capability,
): Capability[] {
  const asked = clusters.filter((cluster) => engineOf(cluster).refuseDuring !== undefined);
  return asked.length === 0 ? [] : [openStores(scope, asked), instances];
}

/** What the stores of the configured clusters are opened with, and no other secret. */
export function openStores(scope: Construct, clusters: readonly Cluster[]): Capability {
  const files = [...new Set(clusters.flatMap(({ tls }) => tls?.caFile ?? []))];
  return { statements: readSecrets(scope, clusters, secretNamesOf), files };
}

/** Queries to the Prometheus of each configured cluster: what it is opened with, or its workspace in AMP. */
export function readTelemetry(scope: Construct, clusters: readonly Cluster[]): Capability {
  const files = [...new Set(clusters.flatMap(({ telemetry }) => telemetry.tls?.caFile ?? []))];
  const secrets = readSecrets(scope, clusters, ({ telemetry }) => telemetrySecretNames(telemetry));
  return { statements: [...secrets, ...inWorkspaces(scope, clusters, 'aps:QueryMetrics')], files };
}

/** Whether alerting rules work; beside `readTelemetry`. */
export function readAlertingRules(scope: Construct, clusters: readonly Cluster[]): Capability {
  return { statements: inWorkspaces(scope, clusters, 'aps:ListRules') };
}

function inWorkspaces(scope: Construct, clusters: readonly Cluster[], action: string): PolicyStatement[] {
  const workspaces = clusters.flatMap(({ telemetry }) => workspaceOf(telemetry) ?? []);
  const arns = workspaces.map(({ id, region }) =>
    Stack.of(scope).formatArn({ service: 'aps', region, resource: 'workspace', resourceName: id }),
  );
  return arns.length === 0 ? [] : allow([action], [...new Set(arns)]).statements;
}

/**
 * These secrets and no other. The `-??????` is Secrets Manager's own suffix; a longer wildcard would also open secrets whose
 * names merely begin the same. A customer's key decrypts for Secrets Manager only.
 */
function readSecrets(
  scope: Construct,
  clusters: readonly Cluster[],
  namesOf: (cluster: Cluster) => string[],
): PolicyStatement[] {
  const stack = Stack.of(scope);
  const secretNames = [...new Set(clusters.flatMap(namesOf))];
  if (secretNames.length === 0) return [];
  const secured = clusters.filter((cluster) => namesOf(cluster).length > 0);
  const keys = [...new Set(secured.flatMap(({ secretsKeyArn }) => secretsKeyArn ?? []))];
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
  return keys.length === 0 ? statements : [...statements, decrypt];
}
