import { PATTERN } from '../../domain/faults/patterns.ts';
import type { EngineParameter } from '../engine.ts';

/** Unbounded on purpose: RE2 refuses nested counts whose product is above 1000, and the shape is what matters. */
const SENTINELS = '[0-9A-Fa-f:.\\[\\]]+(,[0-9A-Fa-f:.\\[\\]]+)*';

const NAME = '[A-Za-z0-9.-]+';

const file = (what: string): EngineParameter => ({
  description: `File on the host: ${what}.`,
  pattern: `^(${PATTERN.path})?$`,
  unused: '',
});

/** What the host's fence for Redis is told. */
export const REDIS_PARAMETERS = {
  fence: { description: 'Who guards the rollback against lost writes.', pattern: '^(redis|none)$', unused: 'none' },
  fenceMasterName: {
    description: "Sentinel's name of the shard; empty without a fence.",
    pattern: '^[A-Za-z0-9._-]{0,100}$',
    unused: '',
  },
  fenceSentinels: {
    description: 'address:port of every Sentinel of the shard, IPv6 in brackets; empty without a fence.',
    pattern: `^(${SENTINELS})?$`,
    unused: '',
  },
  fenceCredentialsFile: {
    description: 'File on the host with the credentials of the store; may be empty.',
    pattern: `^(${PATTERN.path})?$`,
    unused: '',
  },
  fenceServerNames: {
    description: 'Whose certificates the node, then each Sentinel, must have; empty: no TLS.',
    pattern: `^(${NAME}(,${NAME})*)?$`,
    unused: '',
  },
  fenceCaFile: file('authorities of these certificates; may be empty'),
  fenceCertificateFile: file('our certificate; may be empty'),
  fenceKeyFile: file('its key'),
} satisfies Record<string, EngineParameter>;
