import { type Observer, observeReachability } from '../observe.ts';
import { readStoreKeys } from '../store-keys.ts';
import { REDIS_PORT, TLS_HOSTS } from './hosts.ts';
import { clientCertificate } from './tls.ts';

/**
 * Watches the Redis at `address` from the network of the process `fromPid`. Any answer counts, an error too.
 * @param directory of the lab, for hosts that speak TLS only
 */
export function observeRedis(target: { fromPid: number; address: string }, directory?: string): Observer {
  const watched = { ...target, port: REDIS_PORT, question: 'PING\r\n' };
  const host = TLS_HOSTS.find(({ dataAddress }) => dataAddress === target.address);
  if (!host || directory === undefined) return observeReachability(watched);
  return observeReachability({ ...watched, tls: clientCertificate(host, readStoreKeys(directory)) });
}
