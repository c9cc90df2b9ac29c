import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SYSTEM_LAB_DIRECTORY } from './directory.ts';

interface Example {
  experimentId: string;
  parameters: Record<string, unknown>;
  hypothesis: { checks: unknown[] };
}

/** An id runs once in a lab: another test that runs an example needs another one. @returns the path of a copy */
export function exampleCopy(name: string, suffix: string, change: (experiment: Example) => void = () => {}): string {
  const experiment: Example = JSON.parse(readFileSync(new URL(`../../examples/${name}`, import.meta.url), 'utf8'));
  experiment.experimentId += `_${suffix}`;
  change(experiment);
  const copy = join(SYSTEM_LAB_DIRECTORY, `${suffix}-${name}`);
  writeFileSync(copy, JSON.stringify(experiment));
  return copy;
}

/** The mission's own file names its nodes. By now another one may be the master. */
export function partitionOfTheMaster(suffix: string): string {
  return exampleCopy('redis-partition.json', suffix, ({ parameters }) => {
    parameters.targetPartitionGroupA = [{ role: 'replica', of: 'shard-1', count: 2 }];
    parameters.targetPartitionGroupB = [{ role: 'master', of: 'shard-1' }];
  });
}
