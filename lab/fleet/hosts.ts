import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { LAB_FILES, OWN_FILES, powerSocket, writeJson } from '../shared/files.ts';
import { inNamespacesOf, inNetworkOf } from '../shared/namespaces.ts';
import { NICENESS } from '../shared/niceness.ts';
import { childrenOf } from '../shared/processes.ts';
import { AWS_HOST_NAME, INSTANCE_METADATA_ADDRESS, REGION } from '../shared/topology.ts';
import { cachedBy } from '../shared/user-cache.ts';
import { waitFor } from '../shared/wait-for.ts';
import type { HostContent, LabHost } from './engine.ts';
import { UNIT_STOP_SECONDS } from './host-power.ts';

export interface RunningHost {
  host: LabHost;
  /** host-init.py, in the pid namespace of the lab's first process. */
  initPid: number;
  process: ChildProcess;
}

/** What a host runs of the lab's own. Bound into every host, and nothing else of the checkout is. */
const HOST_PROGRAMS = join(import.meta.dirname, 'host');
const HOST_PATH = '/run/lab/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const CLOCK_SOURCE = 'lab/fleet/host/clock.c';
const CLOCK_NAME = 'clock';

/** @throws Error that says how to get it when it is not there. */
export function builtClock(): string {
  const directory = cachedBy(CLOCK_NAME, CLOCK_SOURCE);
  if (!existsSync(directory))
    throw new Error(`${CLOCK_SOURCE} is not compiled: lab/setup.sh does it for an engine whose hosts have one`);
  return directory;
}

/**
 * As cloud-init and the SSM agent's unit file would set it: product code on the host reads only this. The token is in
 * the environment, because every user of a host may read command lines.
 */
export function agentUnit(
  host: LabHost,
  token: string,
): { argv: string[]; restart: true; environment: Record<string, string> } {
  const endpoint = `https://${AWS_HOST_NAME}`;
  const caFile = '/run/lab/ca.pem';
  return {
    argv: [
      ...['/usr/bin/python3', '/run/lab/program/host-agent.py', '--instance-id', host.instanceId],
      ...['--endpoint', endpoint, '--ca', caFile],
      ...['--region', REGION, '--metadata-address', `${INSTANCE_METADATA_ADDRESS}:80`],
    ],
    restart: true,
    environment: { HOST_AGENT_TOKEN: token, AWS_ENDPOINT_URL: endpoint, AWS_CA_BUNDLE: caFile, AWS_REGION: REGION },
  };
}

/**
 * Starts one host: the network namespace of its name (see network.ts) plus mount, pid, ipc and uts namespaces of its own
 * with host-init.py as first process, which dies with the lab.
 * @param token of the agent; without one the host has no agent and no way to AWS.
 */
export async function startHost(
  directory: string,
  host: LabHost,
  content: HostContent,
  token: string | undefined,
): Promise<RunningHost> {
  const configurationFile = join(directory, OWN_FILES.hosts, `${host.name}.json`);
  const agent = token === undefined ? {} : { 'host-agent': agentUnit(host, token) };
  writeJson(configurationFile, {
    name: host.name,
    programDirectory: HOST_PROGRAMS,
    logDirectory: join(directory, OWN_FILES.log),
    caFile: join(directory, LAB_FILES.caFile),
    powerSocket: powerSocket(directory, host.name),
    units: { ...content.units, ...agent },
    isOff: host.replaces !== undefined,
    startAtBoot: [...Object.keys(agent), ...content.startAtBoot],
    programs: { ...content.programs, ...(content.ownClock && { [CLOCK_NAME]: builtClock() }) },
    ...(content.ownClock && { preloaded: `/run/lab/${CLOCK_NAME}/clock.so` }),
    files: content.files,
    dataDirectories: content.dataDirectories,
    dataVolumes: content.dataVolumes ?? {},
    volumeFile: join(directory, OWN_FILES.hosts, `${host.name}.volume`),
    path: HOST_PATH,
    stopTimeoutSeconds: UNIT_STOP_SECONDS,
  });
  const namespaces = ['--mount', '--pid', '--ipc', '--uts', '--fork', '--kill-child=SIGKILL', '--mount-proc'];
  const init = ['/usr/bin/python3', join(HOST_PROGRAMS, 'host-init.py'), configurationFile];
  mkdirSync(join(directory, OWN_FILES.log), { recursive: true });
  const log = openSync(join(directory, OWN_FILES.log, `${host.name}-init.log`), 'a');
  const priority = ['nice', '-n', String(NICENESS.serving)];
  const [program = '', ...rest] = [...inNetworkOf(host.name), ...priority, 'unshare', ...namespaces, ...init];
  const child = spawn(program, rest, {
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${host.name}: could not start its first process`);
  const failed = new Promise<never>((_, reject) => {
    child.once('exit', () => reject(new Error(`${host.name} could not start; see ${host.name}-init.log`)));
  });
  return { host, initPid: await Promise.race([firstChild(host.name, pid), failed]), process: child };
}

/** `unshare --fork` stays as the parent of the host's first process. */
async function firstChild(name: string, parent: number): Promise<number> {
  let child: number | undefined;
  await waitFor(
    `${name}: first process`,
    10,
    () => {
      child = childrenOf(parent)[0];
      return child === undefined ? 'unshare has not forked yet' : undefined;
    },
    10,
  );
  if (child === undefined) throw new Error(`${name}: no first process`);
  return child;
}

/** The command that runs `argv` on a host like a login would: all its namespaces, its PATH, its root directory. */
export function onHost(initPid: number, argv: readonly string[]): string[] {
  return [...inNamespacesOf(initPid), 'env', '-C', '/', `PATH=${HOST_PATH}`, ...argv];
}
