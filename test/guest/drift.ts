import { type Guest, inGuest } from './guest.ts';

export const KIND = 'clock-drift';
export const WATCHDOG = ['/usr/bin/python3', '-B', '/run/files/program/watchdog.py', 'inject'];

/** Wall clock minus boot clock, in milliseconds: only someone who sets the wall clock can change it by more than a slew. */
export async function anchorMs(guest: Guest): Promise<number> {
  const code = 'import time; print((time.clock_gettime_ns(0) - time.clock_gettime_ns(7)) / 1e6)';
  return Number((await guest.exec(['python3', '-c', code])).out);
}

export async function ntp(guest: Guest): Promise<string> {
  return (await guest.exec(['systemctl', 'is-active', 'chrony'])).out;
}

export function inDrift(offsetMs: number, test: (guest: Guest, before: number) => Promise<void>): Promise<void> {
  const parameters = { offsetMs: String(offsetMs), disposable: Math.abs(offsetMs) > 500 ? 'yes' : 'no' };
  return inGuest(KIND, async (guest) => test(guest, await anchorMs(guest)), parameters);
}
