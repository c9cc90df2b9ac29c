import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CHECKOUT } from './files.ts';

/**
 * Where lab/setup.sh keeps what it has fetched by these files of the checkout: one directory for each content of them,
 * which all checkouts of this user share.
 */
export function cachedBy(kind: string, ...files: string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(join(CHECKOUT, file)));
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return join(cache, 'holdfast', kind, hash.digest('hex').slice(0, 16));
}
