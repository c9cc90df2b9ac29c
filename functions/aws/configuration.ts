import configuration from '#configuration';
import { type Configuration, parseConfiguration } from '../engines/configuration.ts';

let parsed: Configuration | undefined;

/**
 * The clusters this deployment may touch: the file bundled in at synth, validated again here.
 * @throws Error with one line for each field that is not valid.
 */
export function loadConfiguration(): Configuration {
  parsed ??= parseConfiguration(configuration);
  return parsed;
}
