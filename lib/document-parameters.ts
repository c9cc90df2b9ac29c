import { type HostFaultKind, hostKindOf } from '../functions/domain/faults/catalogue.ts';
import { PATTERN } from '../functions/domain/faults/fields.ts';
import type { DocumentParameter } from '../functions/domain/faults/kind.ts';

const EXPERIMENT_ID = '[A-Za-z0-9_-]{1,50}';
/** Unbounded on purpose: RE2 refuses nested counts whose product is above 1000, and the shape is what matters. */
const SENTINELS = '[0-9A-Fa-f:.\\[\\]]+(,[0-9A-Fa-f:.\\[\\]]+)*';

const experimentId: DocumentParameter = {
  description: 'Experiment the command belongs to.',
  pattern: `^${EXPERIMENT_ID}$`,
};
const faultId: DocumentParameter = {
  description: 'Fault of the experiment: its id, a dot and the position.',
  pattern: `^${EXPERIMENT_ID}[.][1-9][0-9]{0,2}$`,
};

/** Every fault document has these, in the order of docs/contracts.md. */
const FAULT_PARAMETERS: Record<string, DocumentParameter> = {
  experimentId,
  faultId,
  ttlSeconds: {
    description: 'Longest life of the fault, by the monotonic clock of the host, 1 to 600.',
    pattern: '^([1-9]|[1-9][0-9]|[1-5][0-9][0-9]|600)$',
  },
  leaseGraceSeconds: {
    description: 'The fault is reverted when the lease has not advanced for this long, 2 to 30.',
    pattern: '^([2-9]|[12][0-9]|30)$',
  },
  engine: { description: 'Store on the host.', pattern: '^redis$' },
  unit: { description: 'systemd unit of the store.', pattern: '^[A-Za-z0-9][A-Za-z0-9@._-]{0,99}$' },
  storePorts: {
    description: 'Ports of the store, its own first.',
    pattern: '^[1-9][0-9]{0,4}(,[1-9][0-9]{0,4}){0,9}$',
  },
  exemptAddresses: { description: 'Addresses that are never cut; may be empty.', pattern: `^(${PATTERN.addresses})?$` },
  fence: { description: 'Who guards the way back against lost writes.', pattern: '^(redis|none)$' },
  fenceMasterName: {
    description: "Sentinel's name of the shard; empty without a fence.",
    pattern: '^[A-Za-z0-9._-]{0,100}$',
  },
  fenceSentinels: {
    description: 'address:port of every Sentinel of the shard, IPv6 in brackets; empty without a fence.',
    pattern: `^(${SENTINELS})?$`,
  },
  fenceCredentialsFile: {
    description: 'File on the host with the credentials of the store; may be empty.',
    pattern: `^(${PATTERN.path})?$`,
  },
};

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
