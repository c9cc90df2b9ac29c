/**
 * Holds one lab from outside its namespaces: starts their first process, relays loopback ports to the lab's
 * sockets, and writes lab.json. It is the one process that `lab down` ends. Started by lifecycle.ts with an IPC channel.
 *
 *   lab up/run ──IPC──> supervisor ──PDEATHSIG──> unshare ──PDEATHSIG──> init.ts (pid 1) ──> everything
 *
 * Environment: LAB_DIRECTORY, LAB_SCOPE (see init.ts), LAB_ENDS_WITH_PARENT (`1`: ends with the process that started it).
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CHECKOUT, LAB_FILES, OWN_FILES, writeJson } from '../shared/files.ts';
import { childrenOf, identify, outerPids, type ProcessIdentity } from '../shared/processes.ts';
import { labDirectory, removeRuntimeFiles } from './directory.ts';
import type { InitEvent } from './init.ts';
import { describeLab } from './lab-file.ts';
import { portOf, relay } from './relay.ts';

export type SupervisorEvent = { type: 'progress'; text: string } | { type: 'ready' } | { type: 'died'; reason: string };

/** What `lab.pid` says: whom to end, and with whom it ends by itself. */
export interface Supervisor extends ProcessIdentity {
  /** The process that the lab ends with, by whatever death. Absent: it stays until it is told to go. */
  parentPid?: number;
}

const directory = labDirectory();
const LOOPBACK = '127.0.0.1';

/** The process that started this one may have ended: a detached lab goes on. */
function tell(event: SupervisorEvent): void {
  if (process.connected) process.send?.(event, () => {});
}

function startInit(): ReturnType<typeof spawn> {
  const namespaces = ['--net', '--mount', '--pid', '--ipc', '--uts', '--fork', '--kill-child=SIGKILL', '--mount-proc'];
  const init = [process.execPath, join(CHECKOUT, 'lab/runtime/init.ts')];
  // The clock is the one thing of this machine that no namespace holds back: nobody inside may set it.
  const privileges = ['--bounding-set', '-sys_time', '--pdeathsig', 'KILL'];
  const child = spawn('setpriv', [...privileges, 'unshare', ...namespaces, ...init], {
    cwd: CHECKOUT,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, LAB_DIRECTORY: directory, NODE_CHANNEL_FD: undefined },
  });
  child.once('error', (error) => end(1, `the lab's namespaces could not be made: ${error.message}`));
  child.once('exit', () => end(1, `the lab's first process has ended; see ${join(directory, OWN_FILES.log)}`));
  return child;
}

function ownIdentity(): ProcessIdentity {
  const identity = identify(process.pid);
  if (identity === undefined) throw new Error('/proc does not show this process');
  return identity;
}

let ending = false;
/** Everything inside has ended when this is called, or ends with us. */
function end(exitCode: number, reason: string): void {
  if (ending) return;
  ending = true;
  removeRuntimeFiles(directory);
  tell({ type: 'died', reason });
  // The IPC channel is flushed by its own closing.
  if (process.connected) process.disconnect();
  process.exitCode = exitCode;
  setImmediate(() => process.exit());
}

async function publish(event: Extract<InitEvent, { type: 'ready' }>): Promise<void> {
  const first = initPid();
  if (first === undefined) throw new Error('the lab ended while it was being described');
  const outer = outerPids(first);
  const toOuter = (pids: Record<string, number>): Record<string, number> =>
    Object.fromEntries(
      Object.entries(pids).flatMap(([name, pid]) => {
        const known = outer.get(pid);
        return known === undefined ? [] : [[name, known]];
      }),
    );
  const listen = { host: LOOPBACK, port: 0 };
  const aws = await relay(listen, { path: join(directory, LAB_FILES.awsSocket) });
  const prometheus = await relay(listen, { path: join(directory, OWN_FILES.prometheusSocket) });
  const lab = describeLab(directory, {
    awsPort: portOf(aws),
    prometheusPort: portOf(prometheus),
    hostPids: toOuter(event.hosts),
    pids: toOuter(event.parts),
  });
  writeJson(join(directory, LAB_FILES.lab), lab);
}

function initPid(): number | undefined {
  return child.pid === undefined ? undefined : childrenOf(child.pid)[0];
}

async function onEvent(event: InitEvent): Promise<void> {
  if (event.type !== 'ready') {
    tell(event);
    return;
  }
  try {
    await publish(event);
    tell({ type: 'ready' });
  } catch (error) {
    end(1, `the lab could not be described: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The first process takes the whole pid namespace with it, and is gone only when all of it is. */
function stop(): void {
  const first = initPid();
  if (first === undefined) end(0, 'stopped');
  else process.kill(first, 'SIGKILL');
}

const endsWithParent = process.env.LAB_ENDS_WITH_PARENT === '1';
const supervisor: Supervisor = { ...ownIdentity(), ...(endsWithParent && { parentPid: process.ppid }) };
writeJson(join(directory, OWN_FILES.supervisor), supervisor);
const child = startInit();
if (child.stdout === null) throw new Error('no pipe from the lab');
createInterface({ input: child.stdout }).on('line', (line) => void onEvent(JSON.parse(line) as InitEvent));
process.on('SIGTERM', stop);
if (endsWithParent) process.once('disconnect', stop);
