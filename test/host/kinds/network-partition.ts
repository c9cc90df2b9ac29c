import type { Host } from '../host.ts';
import type { KindCase } from '../kind-case.ts';
import { ADDRESS } from '../wire.ts';

export const networkPartition: KindCase = {
  kind: 'network-partition',
  runsIn: 'namespace',
  parameters: {
    peerAddresses: ADDRESS.peer,
    scope: 'isolate',
    direction: 'both',
    packetLossPct: '100',
    ports: '',
    flap: '',
  },
  isThere: async (host) => !(await host.connects('peer')),
  traces: packetFilter,
};

/** Every rule and every chain that is not built in; an empty table is the same as none. */
export async function packetFilter(host: Host): Promise<string> {
  const { code, out } = await host.exec(['bash', '-c', 'set -e; iptables-save; ip6tables-save']);
  if (code !== 0) throw new Error(out);
  const lines = out.replaceAll(/ \[\d+:\d+\]/g, '').split('\n');
  return lines.filter((line) => /^-|^:.* -$/.test(line)).join('\n');
}
