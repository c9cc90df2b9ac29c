import * as z from 'zod';
import { PATTERN, percent, wholeNumber } from './fields.ts';
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

export const networkLoss = hostKind({
  kind: 'NETWORK_LOSS',
  description:
    'Loses a share of the packets the node sends to its peers. Through netfilter where the kernel has no netem; ' +
    'a correlation is refused there.',
  schema: z
    .strictObject({ ...peerFields, packetLossPct: percent(1), correlationPct: percent(0).default(0) })
    .refine(...NOT_BOTH_PEERS)
    .refine(...OTHER_PEERS),
  allowed: {
    ...PEERS_ALLOWED,
    packetLossPct: wholeNumber(1, 100),
    correlationPct: `${wholeNumber(0, 100)}; left out: 0`,
  },
  faultState: 'LOSING_PACKETS',
  example: { targetNodes: ['node-3'], packetLossPct: 20, toNodes: ['node-1', 'node-2'] },
  impactedNodes: ({ targetNodes }) => targetNodes,
  peers: (parameters) => selectPeers(parameters),
  resource: 'queueing',
  document: {
    ...PEERS_DOCUMENT,
    packetLossPct: { description: 'Share of packets lost, 1 to 100.', pattern: `^${PATTERN.percent}$` },
    ...CORRELATION_DOCUMENT,
  },
  fence: true,
  command: ({ packetLossPct, correlationPct }, { peers }) => ({
    parameters: {
      peerAddresses: addressesOf(peers),
      packetLossPct: String(packetLossPct),
      correlationPct: String(correlationPct),
    },
    undo: [`lose packets to ${namesOf(peers)} no more`],
  }),
});
