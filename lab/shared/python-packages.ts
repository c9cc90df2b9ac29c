import { existsSync } from 'node:fs';
import { cachedBy } from './user-cache.ts';

/** What the lab reads of Python's packages: AWS's descriptions of its services, in botocore. */
export const LAB_PACKAGES = 'lab/requirements.txt';

/**
 * Where lab/setup.sh has put the Python packages of a list.
 * @throws Error that says how to get them when they are not there.
 */
export function pythonPackages(requirements: string): string {
  const directory = cachedBy('python', requirements);
  if (!existsSync(directory)) throw new Error(`the packages of ${requirements} are missing: run sh lab/setup.sh test`);
  return directory;
}
