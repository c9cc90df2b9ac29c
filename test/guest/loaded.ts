import { expect } from 'vitest';
import { controlGroups } from '../host/load.ts';
import type { Guest } from './guest.ts';

export const MEBIBYTE = 1024 * 1024;
export const DATA = '/var/lib/redis';
export const TOLERANCE = 0.08;

export async function availableBytes(guest: Guest): Promise<number> {
  return Number((await guest.exec(['awk', '/MemAvailable/ {print $2 * 1024}', '/proc/meminfo'])).out);
}

export async function freeBytes(guest: Guest): Promise<number> {
  return Number((await guest.exec(['bash', '-c', `df --output=avail -B1 ${DATA} | tail -1`])).out);
}

export const save = (guest: Guest) => guest.exec(['redis-cli', 'save']);

export async function isTakenBack(guest: Guest): Promise<void> {
  expect(await guest.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
  expect(await controlGroups(guest)).toBe('');
}
