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
    description: 'The experiment that the command belongs to.',
    pattern: anchored(EXPERIMENT_ID),
  },
  faultId: {
    description: 'Its fault: the id of the experiment, a dot and a number.',
    pattern: anchored(`${EXPERIMENT_ID}[.][1-9][0-9]{0,2}`),
  },
};

/** Every fault document has these too. */
export const COMMON_PARAMETERS: DocumentParameters = {
  ttlSeconds: seconds("longest life of the fault by the host's monotonic clock", TTL_SECONDS),
  leaseGraceSeconds: seconds('how long the lease may not advance before the fault is reverted', LEASE_GRACE_SECONDS),
  engine: {
    description: 'Store on the host.',
    pattern: anchored(PATTERN.oneOf(ENGINE_NAMES)),
  },
  unit: {
    description: 'systemd unit of the store.',
    pattern: anchored('[A-Za-z0-9][A-Za-z0-9@._-]{0,99}'),
  },
  storePorts: {
    description: 'Ports that the host serves, the one of the node first, with commas between them.',
    // One for each store, and one of the engine's own.
    pattern: anchored(PATTERN.list(PATTERN.wholeNumber(PORT.min, PORT.max), MAX_PORTS + 1)),
  },
  exemptAddresses: {
    description: 'IP addresses that are never cut off, with commas between them; may be empty.',
    pattern: anchored(`(${PATTERN.addresses})?`),
  },
  ...Object.fromEntries(
    Object.entries(ENGINE_PARAMETERS).map(([name, { description, pattern }]) => [name, { description, pattern }]),
  ),
};

function seconds(what: string, { min, max }: { min: number; max: number }): DocumentParameter {
  return {
    description: `${min} to ${max} seconds: ${what}.`,
    pattern: anchored(PATTERN.wholeNumber(min, max)),
  };
}

/** Its program has nothing of what a fence needs. */
const WITHOUT_FENCE: DocumentParameters = {
  fence: { description: 'none: the role of the node is not in doubt.', pattern: anchored('none') },
};

/** Those of the document of one kind that others have not, or not so. */
export function ownParameters(kind: HostFaultKind): DocumentParameters {
  const { fence, document } = hostKindOf(kind);
  return { ...(fence ? {} : WITHOUT_FENCE), ...document };
}

/** Common and own parameters of the document of one kind. */
export function documentParameters(kind: HostFaultKind): DocumentParameters {
  return { ...IDENTITY_PARAMETERS, ...COMMON_PARAMETERS, ...ownParameters(kind) };
}

export const ROLL_BACK_PARAMETERS: DocumentParameters = {
  ...IDENTITY_PARAMETERS,
  verb: {
    description:
      'revert undoes the fault and waits for the fence; status only reads; start starts the store of a fault that is over, ' +
      'if it is down and no fault lives on the host.',
    pattern: '^(revert|status|start)$',
  },
};
