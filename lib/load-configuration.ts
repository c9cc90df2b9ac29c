import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Configuration, ConfigurationError, parseConfiguration } from '../functions/engines/configuration.ts';

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
  for (const [name, { tls }] of Object.entries(configuration.clusters))
    if (tls?.caFile !== undefined) requireCertificates(`clusters.${name}.tls.caFile`, configurationFile, tls.caFile);
  return { configuration, configurationFile };
}

/** Before it is bundled: a function that finds no certificates there could open no store. @throws Error that names the field */
function requireCertificates(field: string, configurationFile: string, file: string): void {
  const path = join(dirname(configurationFile), file);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`${field}: cannot read ${path}: ${String(error)}`, { cause: error });
  }
  if (!text.includes('-----BEGIN CERTIFICATE-----')) throw new Error(`${field}: ${path} has no certificate in PEM`);
}
