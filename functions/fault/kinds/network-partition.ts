import type { KindCommand } from './kind-command.ts';

/** Cuts the node off from every address of its peers; with scope `isolate` from its clients too. */
export const networkPartition: KindCommand<'NETWORK_PARTITION'> = ({ scope, packetLossPct }, { peers }) => ({
  parameters: {
    peerAddresses: peers.flatMap((peer) => peer.addresses).join(','),
    scope,
    packetLossPct: String(packetLossPct),
  },
  undo: [
    `let packets between the node and ${peers.map((peer) => peer.name).join(', ')} pass again, behind the fence`,
    ...(scope === 'isolate' ? ['let clients reach the store ports again, when the fence falls'] : []),
  ],
});
