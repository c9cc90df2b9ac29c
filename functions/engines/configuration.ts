import * as z from 'zod';
import { clusterName, deploymentFields, refuseSharedInstances } from '../domain/configuration.ts';
import { redisClusterSchema } from './redis/configuration.ts';

/** `holdfast.config.ts`: validated at synthesis and again when a function starts. */

/** One an engine. */
const CLUSTER_SCHEMAS = [redisClusterSchema] as const;
/** The engines this version knows. */
export const ENGINE_NAMES: readonly string[] = CLUSTER_SCHEMAS.map(({ shape }) => shape.engine.value);

const clusterSchema = z.discriminatedUnion('engine', CLUSTER_SCHEMAS, {
  error: ({ code }) => (code === 'invalid_union' ? `one of ${ENGINE_NAMES.join(', ')}` : undefined),
});
export type EngineCluster = z.output<typeof clusterSchema>;

const configurationSchema = z.strictObject({
  clusters: z
    .record(clusterName, clusterSchema)
    .refine((clusters) => Object.keys(clusters).length > 0, 'at least one cluster')
    .superRefine(refuseSharedInstances),
  ...deploymentFields,
});
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
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.') || '(top level)'}: ${issue.message}`);
  throw new ConfigurationError(`holdfast.config.ts is not valid:\n${lines.join('\n')}`);
}
