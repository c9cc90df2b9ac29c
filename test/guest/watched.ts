import { expect } from 'vitest';
import { until } from '../host/wire.ts';
import type { Guest } from './guest.ts';

export const NETWORK = 'network-partition';

/** Injects as the child of a service, as the SSM agent does; systemd kills all that is in its control group. */
export async function injectUnderAgent(guest: Guest): Promise<void> {
  const parameters = guest.faultParameters();
  guest.grant(parameters);
  const environment = Object.entries(guest.environment(parameters)).map(([name, value]) => `--setenv=${name}=${value}`);
  const command = '/usr/bin/python3 -B /run/files/program/watchdog.py inject; exec sleep infinity';
  const started = await guest.exec([
    ...['systemd-run', '--quiet', '--unit=agent', '--property=KillMode=control-group', ...environment],
    ...['--', 'bash', '-c', command],
  ]);
  expect(started).toEqual({ code: 0, out: '' });
  await until('the fault', 30, async () => (await guest.status()).state === 'APPLIED');
  expect(await guest.connects('peer')).toBe(false);
}

export const KILLED = 137;
export const EAT_ALL_MEMORY = ['python3', '-c', 'x = []\nwhile True: x.append(b"x" * (8 << 20))'];

/** Pids that the OOM killer has taken since the boot. */
export async function killedForMemory(guest: Guest): Promise<string[]> {
  const { out } = await guest.exec(['dmesg']);
  return [...out.matchAll(/Out of memory: Killed process (\d+)/g)].map(([, pid]) => pid ?? '');
}

export async function isAlive(guest: Guest, pid: string): Promise<boolean> {
  return (await guest.exec(['kill', '-0', pid])).code === 0;
}

export async function availableMebibytes(guest: Guest): Promise<number> {
  const { out } = await guest.exec(['cat', '/proc/meminfo']);
  return Number(/MemAvailable: +(\d+)/.exec(out)?.[1]) / 1024;
}
