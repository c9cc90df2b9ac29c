import * as z from 'zod';
import { PATTERN, percent, rule, wholeNumber } from './fields.ts';
import { hostKind } from './kind.ts';
import {
  addressesOf,
  CORRELATION_DOCUMENT,
  NOT_BOTH_PEERS,
  namesOf,
  OTHER_PEERS,
  PEERS_ALLOWED,
  PEERS_DOCUMENT,
  peerFields,
  selectPeers,
} from './peers.ts';

const MAX_MS = 10_000;

export const networkLatency = hostKind({
  kind: 'NETWORK_LATENCY',
  description:
    'Delays every packet the node sends to its peers, so that the round trip grows by as much. Needs a kernel with ' +
    'netem; refused without.',
  schema: z
    .strictObject({
      ...peerFields,
      latencyMs: z.int().min(1).max(MAX_MS),
      jitterMs: z.int().min(0).max(MAX_MS).default(0),
      correlationPct: percent(0).default(0),
    })
    .refine(...NOT_BOTH_PEERS)
    .refine(...OTHER_PEERS)
    .refine(
      ...rule(
        'jitterMs',
        'is more than latencyMs',
        ({ jitterMs, latencyMs }) => Number(jitterMs) <= Number(latencyMs),
        ({ jitterMs, latencyMs }) => typeof jitterMs === 'number' && typeof latencyMs === 'number',
      ),
    )
    .refine(
      ...rule(
        'correlationPct',
        'stands without jitterMs: there is nothing to correlate',
        ({ correlationPct, jitterMs }) => correlationPct === 0 || Number(jitterMs) > 0,
        ({ correlationPct }) => typeof correlationPct === 'number',
      ),
    ),
  allowed: {
    ...PEERS_ALLOWED,
    latencyMs: wholeNumber(1, MAX_MS),
    jitterMs: 'a whole number from 0 to latencyMs; left out: 0',
    correlationPct: `${wholeNumber(0, 100)}, only with jitterMs; left out: 0`,
  },
  faultState: 'DELAYED',
  example: { targetNodes: ['node-3'], latencyMs: 100, jitterMs: 10 },
  impactedNodes: ({ targetNodes }) => targetNodes,
  peers: (parameters) => selectPeers(parameters),
  resource: 'queueing',
  document: {
    ...PEERS_DOCUMENT,
    latencyMs: { description: 'Added to every packet to a peer, 1 to 10000.', pattern: '^[1-9][0-9]{0,4}$' },
    jitterMs: { description: 'Variation of the latency, 0 to latencyMs.', pattern: `^${PATTERN.digits(5)}$` },
    ...CORRELATION_DOCUMENT,
  },
  fence: true,
  command: ({ latencyMs, jitterMs, correlationPct }, { peers }) => ({
    parameters: {
      peerAddresses: addressesOf(peers),
      latencyMs: String(latencyMs),
      jitterMs: String(jitterMs),
      correlationPct: String(correlationPct),
    },
    undo: [`take our queueing discipline away: packets to ${namesOf(peers)} are delayed no more`],
  }),
});
