import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  type Configuration,
  ConfigurationError,
  invalid,
  parseConfiguration,
} from '../functions/engines/configuration.ts';
import { promQlProblems } from './promql-problems.ts';

export interface LoadedConfiguration {
  configuration: Configuration;
  /** Absolute. */
  configurationFile: string;
}

/**
 * @param file path of a module whose default export is the configuration, relative to the working directory.
 * @throws ConfigurationError that names the file, and the field and what is allowed there.
 */
export async function loadConfiguration(file: string): Promise<LoadedConfiguration> {
  const configurationFile = resolve(file);
  let exported: { default?: unknown };
  try {
    exported = await import(pathToFileURL(configurationFile).href);
  } catch (error) {
    throw new ConfigurationError(`HOLDFAST_CONFIG: cannot load ${configurationFile}: ${String(error)}`, {
      cause: error,
    });
  }
  if (exported.default === undefined) {
    throw new ConfigurationError(`HOLDFAST_CONFIG: ${configurationFile} must export its configuration as default`);
  }
  const configuration = parseConfiguration(exported.default);
  const problems = [...certificateProblems(configuration, configurationFile), ...promQlProblems(configuration)];
  if (problems.length > 0) throw new ConfigurationError(invalid(problems));
  return { configuration, configurationFile };
}

/** Before they are bundled: a function that finds no certificates there could open nothing. */
function certificateProblems({ clusters }: Configuration, configurationFile: string): string[] {
  return Object.entries(clusters).flatMap(([name, { tls, telemetry }]) =>
    Object.entries({ 'tls.caFile': tls?.caFile, 'telemetry.tls.caFile': telemetry.tls?.caFile }).flatMap(
      ([field, file]) => {
        const problem = file === undefined ? undefined : certificateProblem(join(dirname(configurationFile), file));
        return problem === undefined ? [] : [`clusters.${name}.${field}: ${problem}`];
      },
    ),
  );
}

function certificateProblem(path: string): string | undefined {
  try {
    const hasOne = readFileSync(path, 'utf8').includes('-----BEGIN CERTIFICATE-----');
    return hasOne ? undefined : `${path} has no certificate in PEM`;
  } catch (error) {
    return `cannot read ${path}: ${String(error)}`;
  }
}
