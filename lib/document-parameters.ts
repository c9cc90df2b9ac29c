import { MAX_PORTS } from '../functions/domain/configuration.ts';
import { type HostFaultKind, hostKindOf } from '../functions/domain/faults/catalogue.ts';
import { PORT } from '../functions/domain/faults/fields.ts';
import type { DocumentParameter } from '../functions/domain/faults/kind.ts';
import { anchored, PATTERN } from '../functions/domain/faults/patterns.ts';
import { LEASE_GRACE_SECONDS, TTL_SECONDS } from '../functions/domain/timing.ts';
import { ENGINE_NAMES } from '../functions/engines/configuration.ts';
import { ENGINE_PARAMETERS } from '../functions/engines/registry.ts';

type DocumentParameters = Readonly<Record<string, DocumentParameter>>;

const EXPERIMENT_ID = '[A-Za-z0-9_-]{1,50}';

/** Every document has these. */
export const IDENTITY_PARAMETERS: DocumentParameters = {
  experimentId: {
    description: '1-50 letters, digits, underscores and dashes: the experiment that the command belongs to.',
    pattern: anchored(EXPERIMENT_ID),
  },
  faultId: {
    description: 'the id of the experiment, a dot and a number from 1 to 999: the fault of the experiment.',
    pattern: anchored(`${EXPERIMENT_ID}[.][1-9][0-9]{0,2}`),
  },
};

/** Every fault document has these too. */
export const COMMON_PARAMETERS: DocumentParameters = {
  ttlSeconds: wholeNumber('longest life of the fault in seconds, by the monotonic clock of the host', TTL_SECONDS),
  leaseGraceSeconds: wholeNumber(
    'the fault is reverted when the lease has not advanced for so many seconds',
    LEASE_GRACE_SECONDS,
  ),
  engine: {
    description: `${ENGINE_NAMES.join(', ')}: store on the host.`,
    pattern: anchored(PATTERN.oneOf(ENGINE_NAMES)),
  },
  unit: {
    description: '1-100 letters, digits, @, dots, dashes and underscores: systemd unit of the store.',
    pattern: anchored('[A-Za-z0-9][A-Za-z0-9@._-]{0,99}'),
  },
  storePorts: {
    description: `1-${MAX_PORTS + 1} ports with commas between them: those that the host serves, the one of the node first.`,
    // One for each store, and one of the engine's own.
    pattern: anchored(PATTERN.list(PATTERN.wholeNumber(PORT.min, PORT.max), MAX_PORTS + 1)),
  },
  exemptAddresses: {
    description: 'IP addresses with commas between them, or empty: those that are never cut off.',
    pattern: anchored(`(${PATTERN.addresses})?`),
  },
  ...Object.fromEntries(
    Object.entries(ENGINE_PARAMETERS).map(([name, { description, pattern }]) => [name, { description, pattern }]),
  ),
};

function wholeNumber(what: string, { min, max }: { min: number; max: number }): DocumentParameter {
  return {
    description: `a whole number from ${min} to ${max}: ${what}.`,
    pattern: anchored(PATTERN.wholeNumber(min, max)),
  };
}

/** Common and own parameters of the document of one kind. */
export function documentParameters(kind: HostFaultKind): Record<string, DocumentParameter> {
  return { ...IDENTITY_PARAMETERS, ...COMMON_PARAMETERS, ...hostKindOf(kind).document };
}

export const ROLL_BACK_PARAMETERS: Record<string, DocumentParameter> = {
  ...IDENTITY_PARAMETERS,
  verb: {
    description: 'revert undoes the fault and waits for the fence; status only reads.',
    pattern: '^(revert|status)$',
  },
};
