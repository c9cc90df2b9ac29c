import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** The checkout this lab runs from. */
export const CHECKOUT = resolve(import.meta.dirname, '../..');

/** Files only the lab's own processes share, beside `LAB_FILES` of world.ts. */
export const OWN_FILES = {
  /** The keeper's `{pid, startTime}`: whom `down` ends. */
  keeper: 'lab.pid',
  /** What every part of the lab is doing. */
  status: 'status.json',
  /** `{instanceId: token}`: how the stand-in for SSM knows its agents. */
  agents: 'agents.json',
  hosts: 'hosts',
  log: 'log',
  prometheusConfiguration: 'prometheus.yml',
  prometheusSocket: 'prometheus.sock',
  synthesisHash: 'cdk.hash',
} as const;

/** Longest path of a unix socket on Linux, in bytes. */
const MAX_SOCKET_PATH = 107;
/** Of all sockets below the lab directory. */
const LONGEST_SOCKET = `${OWN_FILES.hosts}/redis-node-12.power`;

/**
 * Where this lab lives: `LAB_DIRECTORY`, else `.lab` of the checkout.
 * @throws Error when its sockets would have paths longer than Linux allows, or when the lab would hide it from itself.
 */
export function labDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const directory = resolve(environment.LAB_DIRECTORY ?? join(CHECKOUT, '.lab'));
  if (Buffer.byteLength(join(directory, LONGEST_SOCKET)) > MAX_SOCKET_PATH) {
    throw new Error(`LAB_DIRECTORY ${directory} is too long: unix sockets allow ${MAX_SOCKET_PATH} bytes in all`);
  }
  if (directory.startsWith('/run/') || directory.startsWith('/etc/')) {
    throw new Error(`LAB_DIRECTORY ${directory} is not possible: the lab has its own /run and /etc`);
  }
  return directory;
}

/** Replaces a file in one step, so that no reader ever sees half of it. */
export function writeAtomically(path: string, content: string, mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.new`;
  writeFileSync(temporary, content, { mode });
  renameSync(temporary, path);
}

export function writeJson(path: string, value: unknown): void {
  writeAtomically(path, `${JSON.stringify(value, null, 2)}\n`);
}
