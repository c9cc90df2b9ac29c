import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { OWN_FILES } from '../shared/directory.ts';
import { LAB_FILES } from '../shared/topology.ts';

/** Of one lab's life. The synthesized system and the logs outlive it. */
const RUNTIME_FILES: readonly string[] = [
  LAB_FILES.lab,
  LAB_FILES.awsReady,
  LAB_FILES.awsSocket,
  LAB_FILES.controlSocket,
  LAB_FILES.storeSecret,
  'tls',
  OWN_FILES.agents,
  OWN_FILES.hosts,
  OWN_FILES.keeper,
  OWN_FILES.prometheusConfiguration,
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
