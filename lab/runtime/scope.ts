/**
 * How much of the lab is started: `fleet` is hosts, stores and Prometheus; `traffic` adds gateways and load; `all` the
 * synthesized system and the AWS side as well.
 */
export const LAB_SCOPES = ['fleet', 'traffic', 'all'] as const;
export type LabScope = (typeof LAB_SCOPES)[number];

/** @throws Error naming the scopes there are. */
export function parseScope(value: string | undefined): LabScope {
  const scope = LAB_SCOPES.find((known) => known === value);
  if (scope === undefined) throw new Error(`LAB_SCOPE: ${value} is none of ${LAB_SCOPES.join(', ')}`);
  return scope;
}
