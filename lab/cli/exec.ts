import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { onHost } from '../fleet/hosts.ts';
import type { Lab } from '../runtime/lab-file.ts';
import { inNamespacesOf, inNetworkOf } from '../shared/namespaces.ts';
import { LAMBDA_NETWORK, SERVICES } from '../shared/topology.ts';

/**
 * The command that runs `argv` on a host of the lab, or in the namespace of one of its services, from outside.
 * @throws Error naming the hosts there are.
 */
export function commandOn(lab: Lab, name: string, argv: readonly string[]): string[] {
  const host = lab.hosts.find((candidate) => candidate.name === name);
  if (host !== undefined) return onHost(host.pid, argv);
  const services = [...SERVICES, LAMBDA_NETWORK].map((service) => service.name);
  const names = [...lab.hosts.map((known) => known.name), ...services];
  const inside = lab.pids.inside;
  if (inside === undefined || !names.includes(name)) throw new Error(`no host ${name}; there are: ${names.join(' ')}`);
  return [...inNamespacesOf(inside), ...inNetworkOf(name), ...argv];
}

/** Runs a command with our terminal, like ssh. @returns its exit code, or 128 + the signal that ended it. */
export function runAttached(command: readonly string[]): Promise<number> {
  const [program = '', ...rest] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { stdio: 'inherit' });
    // Ctrl-C is for the command; it reaches it through the terminal, and its end is ours.
    const ignore = (): void => {};
    process.on('SIGINT', ignore);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      process.off('SIGINT', ignore);
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
