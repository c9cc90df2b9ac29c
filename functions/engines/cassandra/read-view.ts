import { type Ask, isRefusal, type Row } from './connection.ts';
import { Untold } from './rights.ts';
import { type Heartbeat, type Keyspace, type NodeAnswer, type RingMember, STREAM_LIMITS } from './views.ts';

const SELF =
  'SELECT host_id, broadcast_address, listen_address, rpc_address, data_center, rack, tokens, schema_version FROM system.local';
const PEERS = 'SELECT host_id, peer, native_address, data_center, rack, tokens FROM system.peers_v2';
const HEARTBEATS = 'SELECT host_id, generation, heartbeat, status_with_port FROM system_views.gossip_info';
const KEYSPACES = 'SELECT keyspace_name, replication FROM system_schema.keyspaces';
const PROBE_TABLE = 'SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?';
const HINTS = 'SELECT host_id, files FROM system_views.pending_hints';
const STREAMS = 'SELECT operation, peers, status, progress_percentage FROM system_views.streaming';
const REPAIRS = 'SELECT keyspace_name, completed FROM system_views.repairs';
/** A stream of these has ended, and is remembered. */
const ENDED = ['success', 'failure'];
const SETTING_NAMES = [
  'commitlog_compression.class_name',
  'commitlog_directory',
  'commitlog_disk_access_mode',
  'data_file_directories',
  'disk_failure_policy',
  'disk_optimization_strategy',
  'hinted_handoff_enabled',
  'seed_provider.parameters',
  'transparent_data_encryption_options.enabled',
  ...STREAM_LIMITS,
];
const SETTINGS = `SELECT name, value FROM system_views.settings WHERE name IN (${SETTING_NAMES.map((name) => `'${name}'`).join(', ')})`;

export interface ProbeTable {
  probeKeyspace: string;
  probeTable: string;
}

/** @throws Error of the connection, or of a node that is too old */
export async function readView(ask: Ask, { probeKeyspace, probeTable }: ProbeTable): Promise<Omit<NodeAnswer, 'node'>> {
  const untold = new Untold();
  const [[local], peers, keyspaces, tables, heartbeats, hints, streams, repairs, settings] = await Promise.all([
    ask(SELF),
    ask(PEERS).catch(refuseOther),
    ask(KEYSPACES),
    ask(PROBE_TABLE, [probeKeyspace, probeTable]),
    untold.ask('whose heartbeats it sees', () => readHeartbeats(ask)),
    untold.ask('for whom it keeps hints', () => ask(HINTS)),
    untold.ask('what it streams', () => ask(STREAMS)),
    untold.ask('what it repairs', () => ask(REPAIRS)),
    untold.ask('how it is set', () => ask(SETTINGS)),
  ]);
  if (!local) throw new Error('it says nothing of itself');
  return {
    self: memberOf(local, ['broadcast_address', 'listen_address', 'rpc_address']),
    peers: peers.map((row) => memberOf(row, ['peer', 'native_address'])),
    schema: text(local.schema_version),
    heartbeats: heartbeats ?? [],
    keyspaces: keyspaces.map(keyspaceOf),
    hasProbeTable: tables.length > 0,
    hints: (hints ?? []).flatMap((row) =>
      Number(row.files) > 0 ? [{ hostId: text(row.host_id), files: Number(row.files) }] : [],
    ),
    streams: (streams ?? []).filter(({ status }) => !ENDED.includes(text(status))).map(streamText),
    repairs: (repairs ?? []).filter(({ completed }) => completed !== true).map((row) => text(row.keyspace_name)),
    settings: Object.fromEntries(
      (settings ?? []).flatMap(({ name, value }) => (value !== null ? [[text(name), text(value)]] : [])),
    ),
    problems: untold.problems(),
  };
}

/** Whose heartbeats one node sees. @throws Error of the node or of the connection */
export async function readHeartbeats(ask: Ask): Promise<Heartbeat[]> {
  return (await ask(HEARTBEATS)).map(heartbeatOf);
}

function heartbeatOf(row: Row): Heartbeat {
  // `NORMAL,-9223372036854775808`.
  const [status = ''] = text(row.status_with_port).split(',');
  return {
    hostId: text(row.host_id),
    ...{ generation: Number(row.generation), version: Number(row.heartbeat), status },
  };
}

function memberOf(row: Row, addresses: readonly string[]): RingMember {
  return {
    hostId: text(row.host_id),
    addresses: [...new Set(addresses.map((name) => text(row[name])).filter((address) => address !== ''))],
    ...{ datacenter: text(row.data_center), rack: text(row.rack) },
    tokens: (Array.isArray(row.tokens) ? row.tokens : []).map((token) => BigInt(String(token))),
  };
}

function keyspaceOf({ keyspace_name: name, replication }: Row): Keyspace {
  const options = Object.entries((replication ?? {}) as Record<string, unknown>).map(([key, value]) => [
    key,
    text(value),
  ]);
  const { class: strategy = '', ...factors } = Object.fromEntries(options) as Record<string, string>;
  return { name: text(name), strategy, factors };
}

function streamText({ operation, peers, progress_percentage: progress }: Row): string {
  const others = Array.isArray(peers) ? peers.map(String).join(', ') : '';
  return `${text(operation)} with ${others} (${Math.floor(Number(progress))} %)`;
}

function refuseOther(error: unknown): never {
  if (isRefusal(error)) throw new Error('it does not know what is asked of it: Cassandra 4.1 or newer is supported');
  throw error;
}

function text(value: unknown): string {
  return value === null || value === undefined ? '' : String(value);
}
