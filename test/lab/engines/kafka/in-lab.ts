import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { StoreTopology } from '../../../../functions/domain/topology.ts';
import { kafkaStore } from '../../../../functions/engines/kafka/store.ts';
import { commandOn } from '../../../../lab/cli/exec.ts';
import { readStoreKeys } from '../../../../lab/fleet/store-keys.ts';
import { readLab } from '../../../../lab/runtime/lab-file.ts';
import { access, cluster, nodes } from './cluster.ts';

/** Looks at the brokers as the product does, from the network of the lab's functions: this file is its own child there. */

/** What that user is told. */
export async function look(directory: string, user = 'holdfast'): Promise<StoreTopology> {
  const [program = '', ...argv] = commandOn(readLab(directory), 'vpc', [process.execPath, import.meta.filename, user]);
  const env = { ...process.env, LAB_DIRECTORY: directory };
  const { stdout } = await promisify(execFile)(program, argv, { env, timeout: 30_000 });
  return JSON.parse(stdout);
}

if (process.argv[1] === import.meta.filename) {
  const keys = readStoreKeys(process.env.LAB_DIRECTORY ?? '');
  const topology = await kafkaStore(cluster, access(keys, process.argv[2] ?? '')).readTopology(nodes);
  process.stdout.write(JSON.stringify(topology), () => process.exit(0));
}
