import * as z from 'zod';
import { alertSourceFields } from './alert-sources.ts';
import { approvalSchema } from './approval-rule.ts';
import { auditExportSchema } from './audit-export.ts';
import { canaryFirstSchema } from './canary-rule.ts';
import { changeCalendarSchema } from './change-calendar.ts';
import { guardrailsOf, shortRanges } from './guardrail-queries.ts';

import { killSwitchSchema } from './kill-switch.ts';
import { notificationsSchema } from './notifications.ts';
import { schedulesSchema } from './schedules.ts';
import { authorityFields, hasOneAuthority, ONE_AUTHORITY, secretName } from './secrets.ts';
import { alarmName, guardrailSchema, MISSION_GUARDRAILS, telemetrySchema } from './telemetry.ts';
import { showsCredentials } from './telemetry-access.ts';

import { LEASE_GRACE_SECONDS, RECOVERY_SECONDS, TTL_SECONDS } from './timing.ts';
import { windowSchema } from './window.ts';

/**
 * What of `holdfast.config.ts` is the same for every engine; `engines/configuration.ts` adds what is an engine's own and
 * parses. Nothing in a request can widen it.
 */
const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'letters, digits, dot, dash and underscore, at most 100');
/** These reach the hosts as document parameters, with `{port}` replaced by a node's own: see lib/document-parameters.ts. */
const unit = z
  .string()
  .regex(
    /^(?=.{1,100}$)[A-Za-z0-9](?:[A-Za-z0-9@._-]|\{port\})*$/,
    'letters, digits, at, dot, dash and underscore, or {port}, at most 100',
  );
const hostFile = z
  .string()
  .regex(/^(\/[A-Za-z0-9._-]+)+$/, 'an absolute path of letters, digits, dot, dash and underscore');
export const hostDirectory = z
  .string()
  .regex(
    /^(\/(?:[A-Za-z0-9._-]|\{port\})+)+$/,
    'an absolute path of letters, digits, dot, dash and underscore, or {port}',
  );
/** In `tls.serverName`: the name of the node's instance. */
const NODE = '{node}';
const serverName = z
  .string()
  .regex(
    /^(?=.{1,253}$)(?:[A-Za-z0-9-]|\{node\})+(?:\.(?:[A-Za-z0-9-]|\{node\})+)*$/,
    'a host name, in which {node} stands for the name of the instance',
  );
export const portNumber = z.int().min(1).max(65535);
/** Stores on one instance: with one port of the engine's own, as many as one rule of the packet filter takes. */
export const MAX_PORTS = 14;
/** Of all functions together, where the configuration asks for it. */
export const MAX_RESERVED_CONCURRENCY = 60;
/** In `unit` and `dataDirectory`: the port of the node. */
const PORT = '{port}';
const percentage = z.number().min(0).max(100);

/** By name, as they are with the names of the series that are assumed where a configuration gives none. */
export const DEFAULT_GUARDRAILS = guardrailsOf({
  telemetry: telemetrySchema.parse({ prometheusUrl: 'http://prometheus.example' }),
  guardrails: MISSION_GUARDRAILS,
});

/** How stores are known for what they are, and we to them. What begins with `host` is a file on every node, for the fence. */
const tlsSchema = z
  .strictObject({
    /** What the certificate of a node must be for; addresses are not looked at. */
    serverName,
    ...authorityFields,
    /** Absent: the authorities that the node's own system trusts. */
    hostCaFile: hostFile.optional(),
    /** For stores that ask their clients for a certificate. */
    clientCertificate: z
      .strictObject({
        /** Secret with JSON `{"certificate","key"}`, both PEM. */
        secretName,
        hostCertificateFile: hostFile,
        hostKeyFile: hostFile,
      })
      .optional(),
  })
  .refine(hasOneAuthority, ONE_AUTHORITY);
export type Tls = z.output<typeof tlsSchema>;

/** Fields of a cluster of any engine. */
export const clusterFields = {
  tier: z.enum(['production', 'staging']),
  /** EC2 tags that all nodes carry. */
  selectTags: z
    .record(z.string(), z.string().regex(/^[^*?]*$/, 'no * or ?: EC2 would read them as wildcards'))
    .refine((tags) => Object.keys(tags).length > 0, 'at least one tag'),
  /**
   * Tag that names an instance; one without it is named by its id, and all are with `null`, as where members of an Auto
   * Scaling group share a name.
   */
  nameTag: z.string().min(1).max(128).nullable().default('Name'),
  /** systemd unit of the store on the nodes. With several ports it must tell them apart by `{port}`. */
  unit,
  /** Of the store on each instance; a list where an instance runs several stores: each is a node of its own. */
  port: z.union([portNumber, z.array(portNumber).min(1).max(MAX_PORTS)]),
  /** `{port}` in it is replaced by the node's own. */
  dataDirectory: hostDirectory,
  /**
   * Its data may be lost for good, and in tier `staging` its service with them: faults that harm data beyond repair, or take more
   * nodes than its replication survives, are refused elsewhere. The latter only of an engine
   * whose nodes answer alone.
   */
  disposable: z.boolean().default(false),
  /** Instances may be terminated, in tier `staging`, where an Auto Scaling group replaces them. */
  instancesMayBeTerminated: z.boolean().default(false),
  /** Instances whose data lie on instance store may be stopped, which erases them. */
  instanceStoreDataMayBeLost: z.boolean().default(false),
  /** Absent, which only a staging cluster may have it: credentials and data travel in plain text. */
  tls: tlsSchema.optional(),
  /** Secrets Manager secret with JSON `{"username","password"}` for the probe and the store checks. */
  secretName: secretName.optional(),
  /** Customer's KMS key (ARN) under which the cluster's secrets are. Absent: the key of Secrets Manager itself. */
  secretsKeyArn: z
    .string()
    .regex(/^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/, 'the ARN of a KMS key, not of an alias')
    .optional(),
  /**
   * What an instance must have beside the tags: anybody who may tag could make it one of the cluster, and would be sent the
   * credentials. All that stands here must fit; one that carries the tags and does not fit makes the cluster unusable.
   */
  credentialsFor: z
    .strictObject({
      securityGroupId: z
        .string()
        .regex(/^sg-[0-9a-z]+$/)
        .optional(),
      instanceProfileArn: z
        .string()
        .regex(/^arn:[a-z-]+:iam::\d{12}:instance-profile\/[\w+=,.@/-]+$/, 'the ARN of an instance profile')
        .optional(),
    })
    .refine((given) => Object.values(given).some((value) => value !== undefined), 'a security group or a profile')
    .optional(),
  /** File on the nodes, readable by root only, with the same JSON: the fence asks the local store whether it may fall. */
  hostCredentialsFile: hostFile.optional(),
  telemetry: telemetrySchema,
  /** Replaces defaults of the same name and adds others; a default cannot be dropped. */
  guardrails: z
    .record(z.string(), guardrailSchema)
    .prefault({})
    .transform((own) => ({ ...MISSION_GUARDRAILS, ...own })),
  /** CloudWatch alarms that must be OK before a start and that roll back when they fire. */
  alarms: z
    .array(z.strictObject({ name: alarmName, severity: z.enum(['INFO', 'WARNING', 'CRITICAL']).default('CRITICAL') }))
    .default([]),
  /** Production is held to 10 % whatever stands here. */
  blastRadius: z
    .strictObject({ maxNodesPct: percentage.default(10), maxTrafficSharePct: percentage.default(10) })
    .prefault({}),
  budgets: z
    .strictObject({
      /** Longest outage that a client may see. Seconds. */
      rtoSeconds: z.number().nonnegative().default(15),
      /** All outages of a run together. Seconds; left out: see `unavailableSecondsFor`. */
      unavailableSeconds: z.number().nonnegative().optional(),
      lostAcknowledgedWrites: z.int().nonnegative().default(0),
      /** How long the store may take to be healthy after a rollback. Seconds. */
      recoverySeconds: z.int().min(RECOVERY_SECONDS.min).max(RECOVERY_SECONDS.max).default(RECOVERY_SECONDS.default),
    })
    .prefault({})
    .transform((budgets) => ({
      ...budgets,
      unavailableSeconds: budgets.unavailableSeconds ?? unavailableSecondsFor(budgets.rtoSeconds),
    })),
  /** When experiments may run; absent: at any time. */
  window: windowSchema.optional(),
  /** SSM Change Calendar (its document's name) that must say OPEN; absent: none is asked. */
  changeCalendar: changeCalendarSchema.optional(),
  /** Absent: what is done here need not have been confirmed elsewhere. */
  canaryFirst: canaryFirstSchema.optional(),
  /** Absent: whoever may start an experiment there needs nobody else for it. */
  approval: approvalSchema.optional(),
  maxDurationSeconds: z.int().min(TTL_SECONDS.min).max(TTL_SECONDS.max).default(TTL_SECONDS.max),
};

/** One outage when the fault comes and one when it goes, each as long as one may be. */
function unavailableSecondsFor(rtoSeconds: number): number {
  return 2 * rtoSeconds;
}

const anyCluster = z.object({ engine: z.string(), ...clusterFields });
/** A cluster of whatever engine. */
export type Cluster = z.output<typeof anyCluster>;

/** What fields of a cluster together may not say; for `superRefine`. */
export function refineCluster(cluster: Cluster, context: z.core.$RefinementCtx<Cluster>): void {
  const refuse = (field: string | string[], message: string) =>
    context.issues.push({ code: 'custom', path: [field].flat(), message, input: cluster });
  const { maxNodesPct, maxTrafficSharePct } = cluster.blastRadius;
  if (cluster.tier === 'production' && (maxNodesPct > 10 || maxTrafficSharePct > 10)) {
    refuse(
      'blastRadius',
      'a production cluster may not allow more than 10 % of nodes or traffic; only tier "staging" may set its own',
    );
  }
  if (cluster.tier !== 'staging' && !cluster.tls)
    refuse('tls', 'is needed: only a cluster of tier "staging" may be talked to in plain text');
  if (cluster.secretName !== undefined && !cluster.credentialsFor)
    refuse('credentialsFor', 'is needed beside secretName: a tag alone does not make an instance one of the cluster');
  if (cluster.tier !== 'staging' && showsCredentials(cluster.telemetry)) {
    const message = 'must be https beside auth: only a cluster of tier "staging" may send credentials in plain text';
    refuse(['telemetry', 'prometheusUrl'], message);
  }
  const ports = portsOf(cluster);
  if (new Set(ports).size < ports.length) refuse('port', 'names a port twice');
  if (ports.length > 1 && !cluster.unit.includes(PORT)) {
    refuse('unit', `must contain ${PORT} where an instance runs several stores, as in store@${PORT}`);
  }
  for (const { path, message } of shortRanges(cluster)) refuse(path, message);
}

/**
 * Locks and limits count by cluster, so no instance may belong to two: each pair of selectors must share a key with
 * different values. For `superRefine`.
 */
export function refuseSharedInstances(
  clusters: Readonly<Record<string, Pick<Cluster, 'selectTags'>>>,
  context: z.core.$RefinementCtx,
): void {
  const all = Object.entries(clusters);
  for (const [position, [name, { selectTags }]] of all.entries()) {
    for (const [other, { selectTags: theirs }] of all.slice(0, position)) {
      const apart = Object.entries(selectTags).some(
        ([key, value]) => Object.hasOwn(theirs, key) && theirs[key] !== value,
      );
      if (apart) continue;
      const message = `an instance could carry these tags and those of ${other}; share a key with ${other}, with different values`;
      context.issues.push({ code: 'custom', path: [name, 'selectTags'], message, input: clusters });
    }
  }
}

/** Ports of the stores on each instance. */
export function portsOf({ port }: Pick<Cluster, 'port'>): number[] {
  return typeof port === 'number' ? [port] : port;
}

/** The cluster as it is for the node on that port. */
export function clusterAt<C extends Cluster>(cluster: C, port: number): C & { port: number } {
  const fill = (text: string) => text.replaceAll(PORT, String(port));
  return { ...cluster, port, unit: fill(cluster.unit), dataDirectory: fill(cluster.dataDirectory) };
}

/**
 * The name that the certificate of the node must be for.
 * @throws Error when the instance's name makes none: what is refused here is nowhere taken for verified.
 */
export function serverNameOf({ serverName: template }: Tls, node: { name: string; port: number }): string {
  const instanceName = node.name.replace(new RegExp(`:${node.port}$`), '');
  const filled = template.replaceAll(NODE, instanceName);
  if (serverName.safeParse(filled).success && !filled.includes(NODE)) return filled;
  throw new Error(`node ${node.name}: tls.serverName is ${JSON.stringify(filled)} for it, which is not a host name`);
}

/** Names of the secrets that are read for it. */
export function secretNamesOf({ secretName: credentials, tls }: Pick<Cluster, 'secretName' | 'tls'>): string[] {
  return [credentials, tls?.caSecret, tls?.clientCertificate?.secretName].filter((each) => each !== undefined);
}

const securityGroup = z.string().regex(/^sg-[0-9a-z]+$/);

/** What of a deployment is not a cluster. */
export const deploymentFields = {
  killSwitch: killSwitchSchema,
  /** Where guard, probe and store checks run: they must reach the stores and Prometheus. */
  network: z
    .strictObject({
      vpcId: z.string().regex(/^vpc-[0-9a-z]+$/),
      subnetIds: z.array(z.string().regex(/^subnet-[0-9a-z]+$/)).min(1),
      availabilityZones: z.array(z.string()).min(1),
      securityGroupId: securityGroup,
      /** Makes VPC endpoints for what functions and hosts call. Absent: there are some, or a NAT gateway. */
      endpoints: z
        .strictObject({
          /** Of the subnets of functions and hosts. */
          routeTableIds: z.array(z.string().regex(/^rtb-[0-9a-z]+$/)).min(1),
          /** Of the hosts. */
          hostSecurityGroupIds: z.array(securityGroup).min(1),
        })
        .optional(),
    })
    .refine(
      ({ endpoints, subnetIds, availabilityZones }) => !endpoints || subnetIds.length <= availabilityZones.length,
      {
        path: ['endpoints'],
        message:
          'an endpoint takes one subnet of each of the availabilityZones, and there are more subnetIds than those',
      },
    ),
  /** Principals (ARNs, may end in `*`) that may call the API; IAM policies still apply on top. */
  apiPrincipals: z.array(z.string().startsWith('arn:')).min(1),
  /** Absent: the log stays in its table alone. */
  auditExport: auditExportSchema.optional(),
  /** Tag that an instance must carry before any document may be sent to it. */
  targetTag: z.strictObject({ key: name, value: name }).prefault({ key: 'holdfast-target', value: 'true' }),
  /**
   * Keeps concurrency of Lambda for everything that watches or rolls back, whatever else the account runs: at most
   * MAX_RESERVED_CONCURRENCY, and Lambda leaves 100 for the others. A new account's quota of 10 refuses the deployment.
   */
  reservesConcurrency: z.boolean().default(false),
  /** Sets the role by which API Gateway writes logs, for the whole account and Region: where it has none yet. */
  setApiGatewayLogRole: z.boolean().default(false),
  /** How people are told: see notifications.ts. */
  notifications: notificationsSchema,
  ...alertSourceFields,
  /** A host whose view of its lease has not advanced for this long reverts. Seconds. */
  leaseGraceSeconds: z
    .int()
    .min(LEASE_GRACE_SECONDS.min)
    .max(LEASE_GRACE_SECONDS.max)
    .default(LEASE_GRACE_SECONDS.default),
  /** Experiments that come by themselves, by name. */
  schedules: schedulesSchema,
};
export const clusterName = name;
