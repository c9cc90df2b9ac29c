import { createHash } from 'node:crypto';

/**
 * SHA-256 (hex) over document parameters, sorted by name, each as `name=value` and a line feed, in UTF-8. The host
 * computes the same from its own environment; test vectors for both sides are in `test/fixtures/grant-vectors.json`.
 */
function parametersDigest(parameters: Readonly<Record<string, string>>): string {
  const hash = createHash('sha256');
  for (const name of Object.keys(parameters).sort()) hash.update(`${name}=${parameters[name]}\n`, 'utf8');
  return hash.digest('hex');
}

/** What the lease must contain before a host applies anything: this instance, these parameters and no others. */
export function grantFor(instanceId: string, parameters: Readonly<Record<string, string>>): string {
  return `${instanceId} ${parametersDigest(parameters)}`;
}
