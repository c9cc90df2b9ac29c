import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SYSTEM_LAB_DIRECTORY } from './directory.ts';

/** The mission's own file names its nodes. By now another one may be the master. @returns a copy that asks for roles */
export function partitionOfTheMaster(): string {
  const url = new URL('../../examples/redis-partition.json', import.meta.url);
  const experiment = JSON.parse(readFileSync(url, 'utf8'));
  experiment.experimentId += '_master';
  experiment.parameters.targetPartitionGroupA = [{ role: 'replica', of: 'shard-1', count: 2 }];
  experiment.parameters.targetPartitionGroupB = [{ role: 'master', of: 'shard-1' }];
  const copy = join(SYSTEM_LAB_DIRECTORY, 'redis-partition-of-the-master.json');
  writeFileSync(copy, JSON.stringify(experiment));
  return copy;
}
