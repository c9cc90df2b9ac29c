import type { KindCase } from '../kind-case.ts';
import { ADDRESS } from '../wire.ts';

const LATENCY_MS = 400;

export const networkLatency: KindCase = {
  kind: 'network-latency',
  runsIn: 'guest',
  parameters: { peerAddresses: ADDRESS.peer, latencyMs: String(LATENCY_MS), jitterMs: '0', correlationPct: '0' },
  isThere: async (host) => {
    const { out } = await host.exec(['ping', '-c1', '-W5', ADDRESS.peer]);
    const roundTripMs = /time=([\d.]+) ms/.exec(out)?.[1];
    // Later is what this fault makes it; lost is something else.
    if (!roundTripMs) throw new Error(`no answer from the peer: ${out}`);
    return Number(roundTripMs) >= LATENCY_MS;
  },
  traces: async (host) => (await host.exec(['tc', 'qdisc', 'show'])).out,
};
