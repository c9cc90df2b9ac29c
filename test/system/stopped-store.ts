import { signalStore } from '../../lab/fleet/redis/signal-store.ts';
import type { SystemUnderTest } from './harness.ts';

/** Of a shard without a fault. With the node that a fault cuts off, more are silent then than the blast radius allows; no client notices. */
const SHARD = 'shard-4';

/** Stops a replica where it stands. @returns what lets it go on */
export async function stopStore(system: SystemUnderTest): Promise<() => Promise<void>> {
  const nodes = system.lab.hosts.filter(({ shard }) => shard === SHARD).map(({ name }) => name);
  const node = await system.replicaOf(nodes);
  const signal = async (name: 'STOP' | 'CONT') => {
    const { code, stderr } = await system.on(node, ...signalStore(name));
    if (code !== 0) throw new Error(`SIG${name} to the store of ${node}: ${stderr}`);
  };
  await signal('STOP');
  return () => signal('CONT');
}
