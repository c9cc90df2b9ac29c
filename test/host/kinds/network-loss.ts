import type { KindCase } from '../kind-case.ts';
import { ADDRESS } from '../wire.ts';
import { packetFilter } from './network-partition.ts';

/** Through netfilter in a namespace whose kernel has no netem, through netem in the guest. */
export const networkLoss: KindCase = {
  kind: 'network-loss',
  runsIn: 'namespace',
  parameters: { peerAddresses: ADDRESS.peer, packetLossPct: '100', correlationPct: '0', flap: '' },
  isThere: async (host) => !(await host.connects('peer')),
  traces: async (host) => `${await packetFilter(host)}\n${(await host.exec(['tc', 'qdisc', 'show'])).out}`,
};
