import type { CassandraCluster } from './configuration.ts';
import type { NodeAnswer } from './views.ts';

/** Faults of the disk work where the configuration says that the data are: another place would be another fault. */
export function directoryProblems(
  { dataDirectory, cassandra }: Pick<CassandraCluster, 'dataDirectory' | 'cassandra'>,
  { node, settings }: Pick<NodeAnswer, 'node' | 'settings'>,
): string[] {
  const { data_file_directories: listed, commitlog_directory: commitLog } = settings;
  if (listed === undefined) return [];
  const used = listed
    .replace(/^\[|\]$/g, '')
    .split(',')
    .map((path) => path.trim())
    .filter((path) => path !== '');
  const { dataDirectories, commitLogDirectory } = cassandra;
  const isWithin = (path: string) => path === dataDirectory || path.startsWith(`${dataDirectory}/`);
  const absent = (dataDirectories ?? []).filter((path) => !used.includes(path));
  return [
    ...absent.map((path) => `${node} has no data in ${path} (cassandra.dataDirectories), but in ${used.join(', ')}`),
    ...(used.length > 0 && !used.some(isWithin)
      ? [`${node} has its data in ${used.join(', ')}, and not in ${dataDirectory} (dataDirectory)`]
      : []),
    ...(commitLogDirectory !== undefined && commitLog !== undefined && commitLog !== commitLogDirectory
      ? [`${node} has its commit log in ${commitLog}, and not in ${commitLogDirectory} (cassandra.commitLogDirectory)`]
      : []),
  ];
}
