import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKOUT, OWN_FILES } from '../shared/directory.ts';
import { isRunning, signalProcess } from '../shared/processes.ts';
import { LAB_FILES } from '../shared/topology.ts';
import { waitFor } from '../shared/wait-for.ts';
import { type Lab, readLab } from './lab-file.ts';
import type { PartStatus } from './parts.ts';
import { prepareDirectory, removeRuntimeFiles } from './runtime-files.ts';
import type { LabScope } from './scope.ts';
import type { Keeper, KeeperEvent } from './supervisor.ts';

const STOP_TIMEOUT_SECONDS = 10;

export interface StartOptions {
  directory: string;
  scope: LabScope;
  /** The lab ends with the process that calls this, by whatever death. Else it outlives it. */
  leashed: boolean;
  onProgress: (text: string) => void;
}

export interface RunningLab {
  lab: Lab;
  /** Resolves with the reason when a part of a leashed lab, or all of it, ends unexpectedly. */
  died: Promise<string>;
}

/** @returns the process to end for the lab to end, or undefined when no lab runs there. */
export function findKeeper(directory: string): Keeper | undefined {
  const file = join(directory, OWN_FILES.keeper);
  if (!existsSync(file)) return undefined;
  const keeper = JSON.parse(readFileSync(file, 'utf8')) as Keeper;
  return isRunning(keeper) ? keeper : undefined;
}

/**
 * What somebody who wants to use the lab of another process must know about it.
 * @returns undefined when it is up and stays up.
 */
export function reservation(directory: string, keeper: Keeper): { isReady: boolean; text: string } | undefined {
  const isReady = existsSync(join(directory, LAB_FILES.lab));
  const owner = keeper.leashedTo === undefined ? '' : `; it belongs to process ${keeper.leashedTo} and ends with it`;
  if (!isReady) return { isReady, text: `a lab is still starting in ${directory}${owner}` };
  return owner === '' ? undefined : { isReady, text: `a lab is up in ${directory}${owner}` };
}

function spawnKeeper(options: StartOptions): ChildProcess {
  const log = openSync(join(options.directory, OWN_FILES.log, 'keeper.log'), 'a');
  const keeper = [process.execPath, join(CHECKOUT, 'lab/runtime/supervisor.ts')];
  const leash = options.leashed ? ['setpriv', '--pdeathsig', 'KILL'] : [];
  const [program = process.execPath, ...rest] = [...leash, ...keeper];
  const child = spawn(program, rest, {
    cwd: CHECKOUT,
    // A session of its own: Ctrl-C must reach who can roll back first, not the world in which that happens.
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
    env: {
      ...process.env,
      LAB_DIRECTORY: options.directory,
      LAB_SCOPE: options.scope,
      LAB_LEASHED: options.leashed ? '1' : '0',
    },
  });
  closeSync(log);
  return child;
}

/**
 * Starts a lab and returns when everything in it is ready.
 * @throws Error when one is already up there, or with the reason why this one could not come up; then nothing is left.
 */
export async function startLab(options: StartOptions): Promise<RunningLab> {
  if (findKeeper(options.directory)) throw new Error(`a lab is already up in ${options.directory}`);
  prepareDirectory(options.directory);
  const keeper = spawnKeeper(options);
  const died = new Promise<string>((resolve) => {
    keeper.once('error', (error) => resolve(error.message));
    keeper.once('exit', (code, signal) => resolve(`the lab's keeper ended with ${signal ?? `exit code ${code}`}`));
    keeper.on('message', (event: KeeperEvent) => {
      if (event.type === 'died') resolve(event.reason);
    });
  });
  const ready = new Promise<'ready'>((resolve) => {
    keeper.on('message', (event: KeeperEvent) => {
      if (event.type === 'progress') options.onProgress(event.text);
      if (event.type === 'ready') resolve('ready');
    });
  });
  const outcome = await Promise.race([ready, died]);
  if (outcome !== 'ready') {
    await stopLab(options.directory);
    throw new Error(`the lab did not come up: ${outcome}\nlogs: ${join(options.directory, OWN_FILES.log)}`);
  }
  if (!options.leashed) {
    keeper.disconnect();
    keeper.unref();
  }
  return { lab: readLab(options.directory), died };
}

/**
 * Ends the lab by its keeper's pid and start time, waits until all of it is gone and removes its files.
 * @returns false when there was none.
 */
export async function stopLab(directory: string): Promise<boolean> {
  const keeper = findKeeper(directory);
  if (keeper === undefined) {
    removeRuntimeFiles(directory);
    return false;
  }
  signalProcess(keeper, 'SIGTERM');
  const stillThere = (): string | undefined => (isRunning(keeper) ? `process ${keeper.pid} still runs` : undefined);
  try {
    await waitFor('end of the lab', STOP_TIMEOUT_SECONDS, stillThere, 20);
  } catch {
    signalProcess(keeper, 'SIGKILL');
    await waitFor('end of the lab', STOP_TIMEOUT_SECONDS, stillThere, 20);
  }
  removeRuntimeFiles(directory);
  return true;
}

/** @returns what every part does; empty when no lab is up. */
export function readStatus(directory: string): Record<string, PartStatus> {
  const file = join(directory, OWN_FILES.status);
  if (findKeeper(directory) === undefined || !existsSync(file)) return {};
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, PartStatus>;
}
