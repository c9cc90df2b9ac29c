import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** Every address of a name, as seen from inside the VPC; none when it cannot be resolved. An address is its own. */
export async function addressesOfName(name: string): Promise<string[]> {
  if (isIP(name)) return [name];
  const found = await lookup(name, { all: true }).catch(() => []);
  return found.map(({ address }) => address);
}
