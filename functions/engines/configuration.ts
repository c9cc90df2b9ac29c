import * as z from 'zod';
import { refuseCanaries } from '../domain/canary-rule.ts';
import { clusterName, deploymentFields, refuseSharedInstances } from '../domain/configuration.ts';
import { refuseAnnouncements } from '../domain/notifications.ts';
import { principalsSchema } from '../domain/principals.ts';
import { refuseSchedules } from '../domain/refuse-schedules.ts';
import { cassandraClusterSchema } from './cassandra/configuration.ts';
import { kafkaClusterSchema } from './kafka/configuration.ts';
import { redisClusterSchema } from './redis/configuration.ts';

/** `holdfast.config.ts`: validated at synthesis and again when a function starts. */

/** One an engine. */
const CLUSTER_SCHEMAS = [redisClusterSchema, kafkaClusterSchema, cassandraClusterSchema] as const;
/** The engines this version knows. */
export const ENGINE_NAMES: readonly string[] = CLUSTER_SCHEMAS.map(({ shape }) => shape.engine.value);

const clusterSchema = z.discriminatedUnion('engine', CLUSTER_SCHEMAS, {
  error: ({ code }) => (code === 'invalid_union' ? `one of ${ENGINE_NAMES.join(', ')}` : undefined),
});
export type EngineCluster = z.output<typeof clusterSchema>;

const configurationSchema = z
  .strictObject({
    clusters: z
      .record(clusterName, clusterSchema)
      .refine((clusters) => Object.keys(clusters).length > 0, 'at least one cluster')
      .superRefine(refuseSharedInstances),
    /** Who of apiPrincipals may start what. Absent: each of them everything. */
    principals: principalsSchema.optional(),
    ...deploymentFields,
  })
  .superRefine(refuseCanaries)
  .superRefine(refuseSchedules)
  .superRefine(refuseAnnouncements);
export type Configuration = z.output<typeof configurationSchema>;
export type ConfigurationInput = z.input<typeof configurationSchema>;

/** For editors and type checks of a `holdfast.config.ts`. */
export function defineConfiguration(configuration: ConfigurationInput): ConfigurationInput {
  return configuration;
}

/** A configuration that may not be deployed; the message is for the person who wrote it. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError';
}

/** @throws ConfigurationError with one line a field: its path and what is allowed. */
export function parseConfiguration(input: unknown): Configuration {
  const parsed = configurationSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  throw new ConfigurationError(
    invalid(issues.map(({ path, message }) => `${path.join('.') || '(top level)'}: ${message}`)),
  );
}

/** @param problems one a field: its path and what is wrong */
export function invalid(problems: readonly string[]): string {
  return ['holdfast.config.ts is not valid:', ...problems.map((problem) => `  ${problem}`)].join('\n');
}
