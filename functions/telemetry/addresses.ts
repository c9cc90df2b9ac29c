import { lookup } from 'node:dns/promises';

/**
 * Every address behind the host of a URL, from where this runs (inside the VPC).
 * @throws Error when there is none: an endpoint that does not resolve cannot be exempted.
 */
export async function addressesOf(url: string): Promise<string[]> {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  const found = await lookup(host, { all: true });
  if (found.length === 0) throw new Error(`${host}: has no address`);
  return [...new Set(found.map(({ address }) => address))];
}
