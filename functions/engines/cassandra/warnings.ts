import type { CassandraCluster } from './configuration.ts';
import { type Keyspace, type NodeAnswer, STREAM_LIMITS } from './views.ts';

const MAPPED =
  'the commit log is a memory map, so a node whose volume is full may stay in the ring, refuse writes and not start again';

/** What makes a fault more dangerous than it need be, and is the operator's choice. */
export function warningsOf(
  {
    keyspaces: named,
    seeds,
    probeKeyspace,
  }: Pick<CassandraCluster['cassandra'], 'keyspaces' | 'seeds' | 'probeKeyspace'>,
  answers: readonly NodeAnswer[],
  keyspaces: readonly Keyspace[],
): string[] {
  const having = (name: string, is: (value: string) => boolean) =>
    answers.filter(({ settings }) => settings[name] !== undefined && is(settings[name])).map(({ node }) => node);
  const mapping = (isOld: boolean) =>
    answers
      .filter(
        ({ settings }) => mapsCommitLog(settings) && (settings.commitlog_disk_access_mode === undefined) === isOld,
      )
      .map(({ node }) => node);
  const unnamed = keyspaces.filter(
    ({ name }) => !/^system(_|$)/.test(name) && name !== probeKeyspace && !named.some((each) => each.name === name),
  );
  const line = (nodes: readonly string[], what: string) =>
    nodes.length === 0 ? [] : [`${what}, on ${nodes.join(', ')}`];
  return [
    ...STREAM_LIMITS.flatMap((name) =>
      line(
        // `0MiB/s`.
        having(name, (value) => Number.parseFloat(value) === 0),
        `${name} is 0, so a node that comes back takes all the bandwidth there is`,
      ),
    ),
    ...line(
      having('hinted_handoff_enabled', (value) => value === 'false'),
      'hinted_handoff_enabled is false, so a node that was away stays behind until it is repaired',
    ),
    ...line(
      having('disk_failure_policy', (value) => value === 'ignore'),
      'disk_failure_policy is ignore, so a node goes on with a disk that fails',
    ),
    ...line(mapping(false), `${MAPPED}; commitlog_disk_access_mode: direct prevents it`),
    // 4.1 does not know that setting, and does not start with it.
    ...line(mapping(true), `${MAPPED}; before Cassandra 5.0 only commitlog_compression prevents it`),
    ...(unnamed.length === 0
      ? []
      : [`${unnamed.map(({ name }) => name).join(', ')} counts with QUORUM: it is not in cassandra.keyspaces`]),
    ...(seeds.length === 1 ? [`${seeds[0]} is the only seed, so no node could be added while it is away`] : []),
  ];
}

/** As Cassandra decides it. `auto` on a file system that tells no block size is one too, which no setting shows. */
function mapsCommitLog(settings: NodeAnswer['settings']): boolean {
  // A node that told none of its settings is no reason to warn.
  if (settings.commitlog_directory === undefined) return false;
  const { commitlog_disk_access_mode: mode = 'legacy', disk_optimization_strategy: disks } = settings;
  const isCompressed = settings['commitlog_compression.class_name'] !== undefined;
  const isEncrypted = settings['transparent_data_encryption_options.enabled'] === 'true';
  const isLegacy = mode === 'legacy' || (mode === 'auto' && disks === 'spinning');
  return mode === 'mmap' || (isLegacy && !isCompressed && !isEncrypted);
}
