import { NICENESS } from '../../shared/niceness.ts';
import type { HostContent, StoreKeys } from '../engine.ts';
import { APPLICATION } from '../store-keys.ts';
import {
  CASSANDRA_ACCOUNT,
  CASSANDRA_UNIT,
  type CassandraHost,
  CLIENT_PORT,
  DIRECTORIES,
  type Ring,
  STORAGE_PORT,
  VOLUME,
} from './hosts.ts';
import { nodeSetting } from './node-settings.ts';
import { installedProgram, type NodeFiles, nodeCommand, nodetoolScript, PROGRAM_NAME } from './program.ts';
import { secretText } from './users.ts';

const VOLUME_MEBIBYTES = 512;
const CONFIGURATION_DIRECTORY = `${VOLUME}/config`;
const inConfiguration = (name: string): string => `${CONFIGURATION_DIRECTORY}/${name}`;
/** On each host, readable by root only: for a person who logs in, and for tests. */
export const HOST_FILES = { ca: '/etc/holdfast/ca.pem', application: '/etc/holdfast/application.json' } as const;

/** In the PATH of a host, as its packages have it in /usr/bin. */
const NODETOOL = '/run/lab/bin/nodetool';

/** Where a node keeps what it needs. */
export interface NodePaths {
  directories: Record<keyof typeof DIRECTORIES, string>;
  /** PEM: key and certificate; authority. */
  identity: string;
  authority: string;
}
const ON_HOST: NodePaths = {
  directories: DIRECTORIES,
  identity: inConfiguration('node.pem'),
  authority: inConfiguration('ca.pem'),
};

/**
 * A seed that finds nobody is the first of its cluster, and waits for no longer than it must. Who is no seed ends when no
 * seed has answered it in twice this time, and it may be up before them.
 */
const RING_DELAY_MS = { seed: 500, other: 30_000 } as const;
export function ringDelayMs({ isSeed }: Pick<CassandraHost, 'isSeed'>): number {
  return isSeed ? RING_DELAY_MS.seed : RING_DELAY_MS.other;
}

/** cassandra.yaml of a node. JSON is YAML. */
export function nodeConfiguration(host: CassandraHost, ring: Ring, paths: NodePaths = ON_HOST): string {
  const { data, commitLog, hints, savedCaches } = paths.directories;
  const seeds = ring.hosts.filter(({ isSeed }) => isSeed).map(({ dataAddress }) => dataAddress);
  const tls = {
    ssl_context_factory: { class_name: 'org.apache.cassandra.security.PEMBasedSslContextFactory' },
    keystore: paths.identity,
    truststore: paths.authority,
    protocol: 'TLS',
  };
  const settings = {
    cluster_name: ring.cluster,
    num_tokens: 1,
    // A new cluster has nothing to copy. Who takes the place of a node has its token, and all of its data to copy.
    ...(host.token === undefined ? {} : { initial_token: host.token, auto_bootstrap: false }),
    partitioner: 'org.apache.cassandra.dht.Murmur3Partitioner',
    seed_provider: [
      { class_name: 'org.apache.cassandra.locator.SimpleSeedProvider', parameters: [{ seeds: seeds.join() }] },
    ],
    listen_address: host.dataAddress,
    rpc_address: host.dataAddress,
    storage_port: STORAGE_PORT,
    native_transport_port: CLIENT_PORT,
    endpoint_snitch: 'GossipingPropertyFileSnitch',
    authenticator: 'PasswordAuthenticator',
    authorizer: 'CassandraAuthorizer',
    role_manager: 'CassandraRoleManager',
    // Logins and rights are read again only when they have been changed: a node that is down must not cost every request one more.
    ...Object.fromEntries(['roles', 'permissions', 'credentials'].map((what) => [`${what}_validity`, '60s'])),
    // Until its strategy knows of datacenters, no majority of its copies is in one of them: then one copy here, as all have it.
    ...(Object.keys(ring.datacenters).length > 1 && { auth_read_consistency_level: 'LOCAL_ONE' }),
    client_encryption_options: { ...tls, enabled: true, optional: false, require_client_auth: false },
    // Among themselves nodes have their certificates alone.
    server_encryption_options: { ...tls, internode_encryption: 'all', require_client_auth: true },
    // Of its own keyspaces, from the first start: a login that is on all nodes is where it is looked for, whatever is said of
    // datacenters later.
    default_keyspace_rf: ring.hosts.length,
    data_file_directories: [data],
    commitlog_directory: commitLog,
    hints_directory: hints,
    saved_caches_directory: savedCaches,
    disk_failure_policy: 'stop',
    commit_failure_policy: 'stop',
    commitlog_disk_access_mode: nodeSetting('LAB_CASSANDRA_COMMIT_LOG'),
    commitlog_sync: 'periodic',
    commitlog_sync_period: '1000ms',
    hinted_handoff_enabled: true,
    phi_convict_threshold: Number(nodeSetting('LAB_CASSANDRA_PHI')),
    hints_flush_period: '1000ms',
    auto_snapshot: false,
    read_request_timeout: '2000ms',
    write_request_timeout: '2000ms',
    request_timeout: '5000ms',
    // A small volume, a small heap, and two processors for all.
    commitlog_segment_size: '4MiB',
    commitlog_total_space: '64MiB',
    memtable_heap_space: '64MiB',
    memtable_offheap_space: '64MiB',
    file_cache_size: '32MiB',
    networking_cache_size: '16MiB',
    key_cache_size: '4MiB',
    concurrent_compactors: 1,
    concurrent_reads: 8,
    concurrent_writes: 8,
    native_transport_max_threads: 16,
  };
  return `${JSON.stringify(settings, null, 2)}\n`;
}

/** To the unit's output. */
export const LOG_CONFIGURATION = `<configuration>
  <appender name="out" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d{ISO8601} %level %logger{0} %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="out"/></root>
</configuration>
`;

export function rackProperties({ rack, datacenter }: Pick<CassandraHost, 'rack' | 'datacenter'>): string {
  return `dc=${datacenter}\nrack=${rack}\n`;
}

/** Key and certificate in one file, as nodes read PEM. */
export function identity({ certificate, key }: { certificate: string; key: string }): string {
  return `${key}${certificate}`;
}

/** As the user data of its group says it. */
function replacedBy({ replaces }: CassandraHost, { hosts }: Ring): Pick<NodeFiles, 'replaces'> {
  const replaced = hosts.find(({ name }) => name === replaces);
  return replaced ? { replaces: replaced.dataAddress } : {};
}

/** What a host runs. */
export function hostContent(host: CassandraHost, ring: Ring, keys: StoreKeys): HostContent {
  const file = (owner: string) => (path: string, content: string) => ({ path, owner, mode: 0o600, content });
  const [ofNode, ofRoot] = [file(CASSANDRA_ACCOUNT), file('root')];
  const { ca, ...own } = keys.certificate(host.name);
  const files: NodeFiles = {
    configuration: inConfiguration('cassandra.yaml'),
    logging: inConfiguration('logback.xml'),
    rack: inConfiguration('cassandra-rackdc.properties'),
    storage: VOLUME,
    ringDelayMs: ringDelayMs(host),
    ...replacedBy(host, ring),
  };
  return {
    // Type=simple: `systemctl start` does not wait until it serves.
    units: { [CASSANDRA_UNIT]: { argv: nodeCommand(files), user: CASSANDRA_ACCOUNT, niceness: NICENESS.yielding } },
    startAtBoot: [CASSANDRA_UNIT],
    ownClock: true,
    programs: { [PROGRAM_NAME]: installedProgram() },
    dataDirectories: {},
    dataVolumes: { [VOLUME]: { mebibytes: VOLUME_MEBIBYTES, owner: CASSANDRA_ACCOUNT } },
    files: [
      ofNode(files.configuration, nodeConfiguration(host, ring)),
      ofNode(files.logging, LOG_CONFIGURATION),
      ofNode(files.rack ?? '', rackProperties(host)),
      ofNode(ON_HOST.identity, identity(own)),
      ofNode(ON_HOST.authority, ca),
      { ...ofRoot(NODETOOL, nodetoolScript()), mode: 0o755 },
      ofRoot(HOST_FILES.ca, ca),
      ofRoot(HOST_FILES.application, secretText(APPLICATION, keys)),
    ],
  };
}
