import type { Redis } from 'ioredis';
import { addressesOfName } from '../../runtime/addresses-of-name.ts';
import { type SentinelEvent, SWITCH_MASTER } from './sentinel-events.ts';

/** Another master of a shard. */
export interface MasterSwitch {
  /** `host:port`; the host is a name where Sentinels announce names. */
  from: string;
  to: string;
  host: string;
  port: number;
}

/** Undefined for an event that says nothing of a switch in this shard. */
export function masterSwitch(shard: string, { channel, message }: SentinelEvent): MasterSwitch | undefined {
  const [name, oldHost, oldPort, host = '', port] = message.split(' ');
  if (channel !== SWITCH_MASTER || name !== shard) return undefined;
  return { from: `${oldHost}:${oldPort}`, to: `${host}:${port}`, host, port: Number(port) };
}

/**
 * Connects `client` anew when a Sentinel announces another master than the one that it has. ioredis's own detector hangs up
 * at every announcement, and each Sentinel makes one: a client that has followed already would fail again, for no fault
 * of the store.
 */
export async function follow(client: Redis, { host, port }: MasterSwitch): Promise<void> {
  const addresses = await addressesOfName(host);
  const { remoteAddress, remotePort } = client.stream ?? {};
  const isThere = addresses.includes(remoteAddress ?? '') && remotePort === port;
  if (!isThere) client.disconnect(true);
}
