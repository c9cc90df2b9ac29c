import { MAX_PORTS } from '../functions/domain/configuration.ts';
import { type HostFaultKind, hostKindOf } from '../functions/domain/faults/catalogue.ts';
import { PATTERN } from '../functions/domain/faults/fields.ts';
import type { DocumentParameter } from '../functions/domain/faults/kind.ts';
import { LEASE_GRACE_SECONDS, TTL_SECONDS } from '../functions/domain/timing.ts';
import { ENGINE_NAMES } from '../functions/engines/configuration.ts';
import { ENGINE_PARAMETERS } from '../functions/engines/registry.ts';

const EXPERIMENT_ID = '[A-Za-z0-9_-]{1,50}';

const experimentId: DocumentParameter = {
  description: 'Experiment the command belongs to.',
  pattern: `^${EXPERIMENT_ID}$`,
};
const faultId: DocumentParameter = {
  description: 'Fault of the experiment: its id, a dot and the position.',
  pattern: `^${EXPERIMENT_ID}[.][1-9][0-9]{0,2}$`,
};

/** Every fault document has these. */
const FAULT_PARAMETERS: Record<string, DocumentParameter> = {
  experimentId,
  faultId,
  ttlSeconds: wholeSeconds('Longest life of the fault, by the monotonic clock of the host', TTL_SECONDS),
  leaseGraceSeconds: wholeSeconds(
    'The fault is reverted when the lease has not advanced for this',
    LEASE_GRACE_SECONDS,
  ),
  engine: { description: 'Store on the host.', pattern: `^(${ENGINE_NAMES.join('|')})$` },
  unit: { description: 'systemd unit of the store.', pattern: '^[A-Za-z0-9][A-Za-z0-9@._-]{0,99}$' },
  storePorts: {
    description: 'Ports that the host serves, the one of the node first.',
    // One for each store, and one of the engine's own.
    pattern: `^[1-9][0-9]{0,4}(,[1-9][0-9]{0,4}){0,${MAX_PORTS}}$`,
  },
  exemptAddresses: { description: 'Addresses that are never cut; may be empty.', pattern: `^(${PATTERN.addresses})?$` },
  ...Object.fromEntries(
    Object.entries(ENGINE_PARAMETERS).map(([name, { description, pattern }]) => [name, { description, pattern }]),
  ),
};

function wholeSeconds(what: string, { min, max }: { min: number; max: number }): DocumentParameter {
  return { description: `${what}, ${min} to ${max} seconds.`, pattern: `^${PATTERN.wholeNumber(min, max)}$` };
}

/** Common and own parameters of the document of one kind. */
export function documentParameters(kind: HostFaultKind): Record<string, DocumentParameter> {
  return { ...FAULT_PARAMETERS, ...hostKindOf(kind).document };
}

export const ROLL_BACK_PARAMETERS: Record<string, DocumentParameter> = {
  experimentId,
  faultId,
  verb: {
    description: 'revert undoes the fault and waits for the fence; status only reads.',
    pattern: '^(revert|status)$',
  },
};
