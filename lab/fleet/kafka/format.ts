import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { StoreKeys } from '../engine.ts';
import { serverProperties } from './configuration.ts';
import { KAFKA_HOSTS, nodeIdOf } from './hosts.ts';
import { installedProgram, java } from './program.ts';
import { USERS } from './users.ts';

/** Host → file of its log directory → content in base64. */
export type Formatted = Record<string, Record<string, string>>;
const META = 'meta.properties';

/** An id as Kafka writes it; one that begins with a dash would be taken for an option. */
function newId(): string {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? newId() : id;
}

/**
 * Formats the log directories of all nodes, with their users in them: Kafka's own tool does it once, and what makes a node's
 * directory its own is written anew for each.
 * @param place a directory that nobody else reads
 * @throws Error with the tool's words
 */
export async function formatLogDirectories(
  keys: Pick<StoreKeys, 'user'>,
  place: string,
  hosts: readonly { name: string }[] = KAFKA_HOSTS,
): Promise<Formatted> {
  const [first] = hosts;
  if (first === undefined) return {};
  const directory = mkdtempSync(join(place, 'format-'));
  try {
    const logDirectory = join(directory, 'data');
    const file = join(directory, 'server.properties');
    writeFileSync(file, serverProperties(first, keys, { logDirectory, identity: '', authority: '' }, hosts));
    const users = USERS.map((name) => keys.user(name)).flatMap(({ username, password }) => [
      '--add-scram',
      `SCRAM-SHA-512=[name=${username},password=${password}]`,
    ]);
    const tool = ['kafka.tools.StorageTool', 'format', '--cluster-id', newId(), '--config', file, ...users];
    const [program = '', ...argv] = java(installedProgram(), [], ...tool);
    await promisify(execFile)(program, argv, { timeout: 30_000 });
    const files = filesOf(logDirectory);
    return Object.fromEntries(
      hosts.map((host) => [host.name, { ...files, [META]: ownMeta(files[META] ?? '', nodeIdOf(host)) }]),
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function filesOf(directory: string): Record<string, string> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    entries
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => !path.endsWith('.lock'))
      .map((path) => [path.slice(directory.length + 1), readFileSync(path).toString('base64')]),
  );
}

/** meta.properties of another node: two directories with one id would be refused for ever. */
export function ownMeta(base64: string, nodeId: number): string {
  const text = Buffer.from(base64, 'base64').toString('utf8');
  const own = text
    .replace(/^node\.id=.*$/m, `node.id=${nodeId}`)
    .replace(/^directory\.id=.*$/m, `directory.id=${newId()}`);
  return Buffer.from(own).toString('base64');
}
