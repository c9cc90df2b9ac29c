import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ALL_HOSTS } from '../fleet/fleet.ts';
import { CHECKOUT, LAB_FILES, OWN_FILES, powerSocket } from '../shared/files.ts';

/** Longest path of a unix socket on Linux, in bytes. */
const MAX_SOCKET_PATH = 107;

/**
 * Where this lab lives: `LAB_DIRECTORY`, else `.lab` of the checkout.
 * @throws Error when its sockets would have paths longer than Linux allows, or when the lab would hide it from itself.
 */
export function labDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const directory = resolve(environment.LAB_DIRECTORY ?? join(CHECKOUT, '.lab'));
  const longest = Math.max(...ALL_HOSTS.map(({ name }) => Buffer.byteLength(powerSocket(directory, name))));
  if (longest > MAX_SOCKET_PATH) {
    throw new Error(`LAB_DIRECTORY ${directory} is too long: unix sockets allow ${MAX_SOCKET_PATH} bytes in all`);
  }
  if (directory.startsWith('/run/') || directory.startsWith('/etc/')) {
    throw new Error(`LAB_DIRECTORY ${directory} is not possible: the lab has its own /run and /etc`);
  }
  return directory;
}

/** Of one lab's life. The synthesized system and the logs outlive it. */
const RUNTIME_FILES: readonly string[] = [
  LAB_FILES.lab,
  LAB_FILES.awsReady,
  LAB_FILES.awsSocket,
  LAB_FILES.controlSocket,
  LAB_FILES.storeSecret,
  LAB_FILES.secrets,
  LAB_FILES.objects,
  OWN_FILES.storeKeys,
  OWN_FILES.tls,
  OWN_FILES.agents,
  OWN_FILES.hosts,
  OWN_FILES.supervisor,
  OWN_FILES.prometheusConfiguration,
  OWN_FILES.prometheusRules,
  OWN_FILES.deployedRules,
  OWN_FILES.alertmanagers,
  OWN_FILES.alertmanagerConfigurations,
  OWN_FILES.storeExporter,
  OWN_FILES.prometheusSocket,
  OWN_FILES.status,
];

export function removeRuntimeFiles(directory: string): void {
  for (const file of RUNTIME_FILES) rmSync(join(directory, file), { recursive: true, force: true });
}

/** An empty place for a new lab; the logs of the last one go. */
export function prepareDirectory(directory: string): void {
  removeRuntimeFiles(directory);
  rmSync(join(directory, OWN_FILES.log), { recursive: true, force: true });
  mkdirSync(join(directory, OWN_FILES.log), { recursive: true });
}
