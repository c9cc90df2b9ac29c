import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CHECKOUT } from './files.ts';

/** What the lab reads of Python's packages: AWS's descriptions of its services, in botocore. */
export const LAB_PACKAGES = 'lab/requirements.txt';

/**
 * Where lab/setup.sh has put the Python packages of a list, one directory for each content of the list, which all
 * checkouts of this user share.
 * @throws Error that says how to get them when they are not there.
 */
export function pythonPackages(requirements: string): string {
  const content = createHash('sha256')
    .update(readFileSync(join(CHECKOUT, requirements)))
    .digest('hex');
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const directory = join(cache, 'holdfast/python', content.slice(0, 16));
  if (!existsSync(directory)) throw new Error(`the packages of ${requirements} are missing: run sh lab/setup.sh test`);
  return directory;
}
