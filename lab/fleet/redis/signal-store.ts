import { REDIS_PORT } from './hosts.ts';

/** The command, on a host, that stops its store where it stands or lets it go on, past everything of the product. */
export function signalStore(signal: 'STOP' | 'CONT'): string[] {
  return ['sh', '-c', `kill -${signal} $(pgrep -f '[r]edis-server .*:${REDIS_PORT}')`];
}
