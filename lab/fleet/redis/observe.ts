import { type Observer, observeReachability } from '../observe.ts';
import { REDIS_PORT } from './hosts.ts';

/** Watches the Redis at `address` from the network of the process `fromPid`. Any answer counts, an error too. */
export function observeRedis(target: { fromPid: number; address: string }): Observer {
  return observeReachability({ ...target, port: REDIS_PORT, question: 'PING\r\n' });
}
