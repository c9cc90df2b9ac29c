import type { KindCase } from '../kind-case.ts';
import { ADDRESS } from '../wire.ts';

const LATENCY_MS = 400;

/** Through a worker in a namespace whose kernel has no netem, through netem in the guest. */
export const networkLatency: KindCase = {
  kind: 'network-latency',
  runsIn: 'both',
  parameters: {
    peerAddresses: ADDRESS.peer,
    latencyMs: String(LATENCY_MS),
    jitterMs: '0',
    correlationPct: '0',
    delayWorker: 'yes',
  },
  isThere: async (host) => {
    const { out } = await host.exec(['ping', '-c1', '-W5', ADDRESS.peer]);
    const roundTripMs = /time=([\d.]+) ms/.exec(out)?.[1];
    // Later is what this fault makes it; lost is something else.
    if (!roundTripMs) throw new Error(`no answer from the peer: ${out}`);
    return Number(roundTripMs) >= LATENCY_MS;
  },
  traces: async (host) => {
    const looks = ['tc qdisc show', 'cat /proc/net/netfilter/nfnetlink_queue', 'iptables-save', 'ip6tables-save'];
    const shown = looks.map((look) => `${look} 2>/dev/null | grep -v -e '^[#:]' -e '^COMMIT$' -e '^[*]'`);
    return (await host.exec(['bash', '-c', shown.join('; ')])).out;
  },
};
