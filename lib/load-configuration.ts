import { resolve } from 'node:path';
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
  return { configuration: parseConfiguration(exported.default), configurationFile };
}
