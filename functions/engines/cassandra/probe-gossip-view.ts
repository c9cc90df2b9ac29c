import type { CqlClient } from './probe-clients.ts';
import type { Gossip } from './probe-gossip.ts';

const HEARTBEATS = 'SELECT address, dc, status_with_port, generation, heartbeat FROM system_views.gossip_info';
const HINTS = 'SELECT address FROM system_views.pending_hints';

/** What this node hears and keeps. @throws Error of the driver, also when a right is missing */
export async function readGossip(client: CqlClient): Promise<Gossip> {
  const [gossip, hints] = await Promise.all([client.execute(HEARTBEATS), client.execute(HINTS)]);
  return {
    heartbeats: gossip.rows.map((row) => ({
      address: String(row.address),
      datacenter: String(row.dc),
      isNormal: String(row.status_with_port).startsWith('NORMAL'),
      generation: Number(row.generation),
      heartbeat: Number(row.heartbeat),
    })),
    hintsFor: hints.rows.map((row) => String(row.address)),
  };
}
