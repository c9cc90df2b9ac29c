import * as z from 'zod';
import {
  clusterFields,
  hostDirectory,
  MAX_PORTS,
  portNumber,
  portsOf,
  refineCluster,
} from '../../domain/configuration.ts';
import { trafficUnitOf } from '../../domain/guardrail-queries.ts';
import { NODE } from '../../domain/telemetry.ts';

/** As CQL writes it without quotes, so that nothing in it can be anything else than a name. */
const cqlName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,47}$/, 'a small letter, then small letters, digits and underscore, at most 48');
const SYSTEM_KEYSPACE = /^system(_|$)/;
/** The one of Cassandra's own that its clients need: with it goes every login, and with that also the probe's. */
const LOGINS = 'system_auth';
const keyspaceName = cqlName.refine((name) => !SYSTEM_KEYSPACE.test(name), 'is one of Cassandra’s own');
const datacenterName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'letters, digits, dot, dash and underscore, at most 100');
/** A name of the instance, or any of its addresses, as in `seed_provider`. */
const seedName = z.string().regex(/^[A-Za-z0-9._:-]{1,253}$/, 'the name of a node, or an address');
const unique = (names: readonly string[]) => new Set(names).size === names.length;

/** What clients of a keyspace read and write with. `ANY`: its data may be out of reach for a while. */
export const CONSISTENCY_LEVELS = [
  'ANY',
  'ONE',
  'TWO',
  'THREE',
  'LOCAL_ONE',
  'LOCAL_QUORUM',
  'QUORUM',
  'EACH_QUORUM',
  'ALL',
] as const;
export type ConsistencyLevel = (typeof CONSISTENCY_LEVELS)[number];

const keyspace = z.strictObject({
  name: z.union([keyspaceName, z.literal(LOGINS)], {
    error: `a keyspace in CQL without quotes; of Cassandra’s own ${LOGINS} alone`,
  }),
  consistency: z.enum(CONSISTENCY_LEVELS),
  /** Where its clients are: there the levels that begin with LOCAL must hold. Absent: wherever it is replicated. */
  datacenters: z.array(datacenterName).min(1).max(20).refine(unique, 'names a datacenter twice').optional(),
});

/** Cassandra. */
export const cassandraClusterSchema = z
  .strictObject({
    engine: z.literal('cassandra'),
    ...clusterFields,
    cassandra: z.strictObject({
      /** Between nodes. */
      storagePort: portNumber.default(7000),
      /** `ssl_storage_port`, where nodes still use it. */
      tlsStoragePort: portNumber.optional(),
      /** As in `seed_provider`: node names or addresses. */
      seeds: z.array(seedName).min(1).max(50).refine(unique, 'names a seed twice'),
      /** What must survive a fault. A keyspace that is not here counts with QUORUM, `system_auth` with LOCAL_QUORUM. */
      keyspaces: z
        .array(keyspace)
        .max(200)
        .refine((all) => unique(all.map(({ name }) => name)), 'names a keyspace twice')
        .default([]),
      /** The probe writes here: a keyspace of its own, replicated as what it speaks for. */
      probeKeyspace: keyspaceName.default('holdfast_probe'),
      probeTable: cqlName.default('probe'),
      /** `data_file_directories`. Absent: what nodes say is believed. */
      dataDirectories: z.array(hostDirectory).min(1).max(20).refine(unique, 'names a directory twice').optional(),
      /** `commitlog_directory`. Absent: what nodes say is believed. */
      commitLogDirectory: hostDirectory.optional(),
      /**
       * On nodes of an Auto Scaling group: the least HealthCheckGracePeriod with which a fault may be. A node that was
       * replaced streams its data anew.
       */
      minHealthCheckGraceSeconds: z.int().min(0).max(7200).default(1800),
    }),
  })
  .superRefine(refineCluster)
  .superRefine((cluster, context) => {
    const refuse = (path: string[], message: string) =>
      context.issues.push({ code: 'custom', path, message, input: cluster });
    const { storagePort, tlsStoragePort, dataDirectories, keyspaces, probeKeyspace } = cluster.cassandra;
    const taken = new Set(portsOf(cluster));
    for (const [field, port] of Object.entries({ storagePort, tlsStoragePort })) {
      if (port === undefined) continue;
      if (taken.has(port)) refuse(['cassandra', field], `${port} is the port of another listener`);
      taken.add(port);
    }
    // As many as one rule of the packet filter takes.
    if (taken.size > MAX_PORTS + 1) refuse(['port'], `with those between nodes at most ${MAX_PORTS + 1}`);
    if (cluster.tier !== 'staging' && cluster.secretName === undefined)
      refuse(['secretName'], 'is needed: only in a cluster of tier "staging" may anybody be a client');
    if (trafficUnitOf(cluster) !== 'node')
      refuse(
        ['telemetry', 'trafficShareQuery'],
        `is needed, with ${NODE}: the share of the traffic that a node takes, as in sum(rate(requests_coordinated_total{node="${NODE}"}[60s])) / sum(rate(requests_coordinated_total[60s]))`,
      );
    const probe = keyspaces.findIndex(({ name }) => name === probeKeyspace);
    if (probe >= 0 && keyspaces[probe]?.consistency === 'ANY')
      refuse(
        ['cassandra', 'keyspaces', String(probe), 'consistency'],
        'is ANY for the probe’s own keyspace: the probe would say nothing',
      );
    const { dataDirectory } = cluster;
    const isWithin = (path: string) => path === dataDirectory || path.startsWith(`${dataDirectory}/`);
    if (dataDirectories && !dataDirectories.some(isWithin))
      refuse(['cassandra', 'dataDirectories'], `none is ${dataDirectory} or in it, which is the dataDirectory`);
  });
export type CassandraCluster = z.output<typeof cassandraClusterSchema>;

/** The level that a keyspace must keep, and where its clients are; undefined: nothing is asked of it. */
export function demandOf(
  { keyspaces }: Pick<CassandraCluster['cassandra'], 'keyspaces'>,
  keyspaceName: string,
): { consistency: ConsistencyLevel; datacenters?: readonly string[] } | undefined {
  const own = keyspaces.find(({ name }) => name === keyspaceName);
  if (own) {
    const { consistency, datacenters } = own;
    return consistency === 'ANY' ? undefined : { consistency, ...(datacenters ? { datacenters } : {}) };
  }
  if (keyspaceName === LOGINS) return { consistency: 'LOCAL_QUORUM' };
  return SYSTEM_KEYSPACE.test(keyspaceName) ? undefined : { consistency: 'QUORUM' };
}
