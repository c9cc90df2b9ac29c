import { sha256Hex } from './digest.ts';

/**
 * What the lease must contain before a host applies anything: this instance, these parameters and no others. The digest
 * is over the document parameters, sorted by name, each as `name=value` and a line feed. The host computes the same from
 * its own environment; test vectors for both sides are in `test/fixtures/grant-vectors.json`.
 */
export function grantFor(instanceId: string, parameters: Readonly<Record<string, string>>): string {
  const lines = Object.keys(parameters)
    .sort()
    .map((name) => `${name}=${parameters[name]}\n`);
  return `${instanceId} ${sha256Hex(lines.join(''))}`;
}
