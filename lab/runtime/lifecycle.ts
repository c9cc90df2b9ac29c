import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DEFAULT_FLEETS, FLEETS_VARIABLE, type FleetName, setUpsOf } from '../fleet/fleet.ts';
import { CHECKOUT, LAB_FILES, OWN_FILES } from '../shared/files.ts';
import { isRunning, signalProcess } from '../shared/processes.ts';
import { waitFor } from '../shared/wait-for.ts';
import { prepareDirectory, removeRuntimeFiles } from './directory.ts';
import type { LabScope } from './init.ts';
import { type Lab, readLab } from './lab-file.ts';
import type { PartStatus } from './parts.ts';
import type { Supervisor, SupervisorEvent } from './supervisor.ts';

const STOP_TIMEOUT_SECONDS = 10;

export interface StartOptions {
  directory: string;
  scope: LabScope;
  /** The lab ends with the process that calls this, by whatever death. Otherwise it outlives it. */
  endsWithParent: boolean;
  /** Absent: the default. */
  engines?: readonly FleetName[];
  onProgress: (text: string) => void;
}

export interface RunningLab {
  lab: Lab;
  /** Resolves with the reason when a part of a lab that ends with its parent, or all of it, ends unexpectedly. */
  died: Promise<string>;
}

/** @returns the process to end for the lab to end, or undefined when no lab runs there. */
export function findSupervisor(directory: string): Supervisor | undefined {
  const file = join(directory, OWN_FILES.supervisor);
  if (!existsSync(file)) return undefined;
  const supervisor = JSON.parse(readFileSync(file, 'utf8')) as Supervisor;
  return isRunning(supervisor) ? supervisor : undefined;
}

/**
 * Whether a lab that another process has started can be used, and for how long.
 * @returns undefined when it is up and stays up.
 */
export function reservation(directory: string, supervisor: Supervisor): { isReady: boolean; text: string } | undefined {
  const isReady = existsSync(join(directory, LAB_FILES.lab));
  const owner =
    supervisor.parentPid === undefined ? '' : `; it belongs to process ${supervisor.parentPid} and ends with it`;
  if (!isReady) return { isReady, text: `a lab is still starting in ${directory}${owner}` };
  return owner === '' ? undefined : { isReady, text: `a lab is up in ${directory}${owner}` };
}

function spawnSupervisor(options: StartOptions): ChildProcess {
  const log = openSync(join(options.directory, OWN_FILES.log, 'supervisor.log'), 'a');
  const supervisor = [process.execPath, join(CHECKOUT, 'lab/runtime/supervisor.ts')];
  const tether = options.endsWithParent ? ['setpriv', '--pdeathsig', 'KILL'] : [];
  const [program = process.execPath, ...rest] = [...tether, ...supervisor];
  const child = spawn(program, rest, {
    cwd: CHECKOUT,
    // A session of its own: Ctrl-C must reach the command, which rolls back, and not the lab in which that happens.
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
    env: {
      ...process.env,
      LAB_DIRECTORY: options.directory,
      LAB_SCOPE: options.scope,
      [FLEETS_VARIABLE]: (options.engines ?? DEFAULT_FLEETS).join(),
      LAB_ENDS_WITH_PARENT: options.endsWithParent ? '1' : '0',
    },
  });
  closeSync(log);
  return child;
}

/** Prepares this machine; quick when all is there. @throws Error when that fails, after its words went to `onProgress` */
async function setUp(part: string, onProgress: (text: string) => void): Promise<void> {
  const child = spawn('sh', [join(CHECKOUT, 'lab/setup.sh'), part], { stdio: ['ignore', 'ignore', 'pipe'] });
  createInterface({ input: child.stderr }).on('line', onProgress);
  const [code]: unknown[] = await once(child, 'close');
  if (code !== 0) throw new Error(`sh lab/setup.sh ${part} failed`);
}

/**
 * Starts a lab and returns when everything in it is ready.
 * @throws Error when one is already up there, or with the reason why this one could not come up; then nothing is left.
 */
export async function startLab(options: StartOptions): Promise<RunningLab> {
  if (findSupervisor(options.directory)) throw new Error(`a lab is already up in ${options.directory}`);
  for (const part of setUpsOf(options.engines ?? DEFAULT_FLEETS)) await setUp(part, options.onProgress);
  prepareDirectory(options.directory);
  const supervisor = spawnSupervisor(options);
  const died = new Promise<string>((resolve) => {
    supervisor.once('error', (error) => resolve(error.message));
    supervisor.once('exit', (code, signal) =>
      resolve(`the lab's supervisor ended with ${signal ?? `exit code ${code}`}`),
    );
    supervisor.on('message', (event: SupervisorEvent) => {
      if (event.type === 'died') resolve(event.reason);
    });
  });
  const ready = new Promise<'ready'>((resolve) => {
    supervisor.on('message', (event: SupervisorEvent) => {
      if (event.type === 'progress') options.onProgress(event.text);
      if (event.type === 'ready') resolve('ready');
    });
  });
  const outcome = await Promise.race([ready, died]);
  if (outcome !== 'ready') {
    await stopLab(options.directory);
    throw new Error(`the lab did not come up: ${outcome}\nlogs: ${join(options.directory, OWN_FILES.log)}`);
  }
  if (!options.endsWithParent) {
    supervisor.disconnect();
    supervisor.unref();
  }
  return { lab: readLab(options.directory), died };
}

/**
 * Ends the lab by its supervisor's pid and start time, waits until all of it is gone and removes its files.
 * @returns false when there was none.
 */
export async function stopLab(directory: string): Promise<boolean> {
  const supervisor = findSupervisor(directory);
  if (supervisor === undefined) {
    removeRuntimeFiles(directory);
    return false;
  }
  signalProcess(supervisor, 'SIGTERM');
  const stillThere = (): string | undefined =>
    isRunning(supervisor) ? `process ${supervisor.pid} still runs` : undefined;
  try {
    await waitFor('end of the lab', STOP_TIMEOUT_SECONDS, stillThere, 20);
  } catch {
    signalProcess(supervisor, 'SIGKILL');
    await waitFor('end of the lab', STOP_TIMEOUT_SECONDS, stillThere, 20);
  }
  removeRuntimeFiles(directory);
  return true;
}

/** @returns what every part does; empty when no lab is up. */
export function readStatus(directory: string): Record<string, PartStatus> {
  const file = join(directory, OWN_FILES.status);
  if (findSupervisor(directory) === undefined || !existsSync(file)) return {};
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, PartStatus>;
}
