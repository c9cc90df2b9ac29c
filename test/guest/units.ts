import { expect } from 'vitest';
import { FOREIGN_RULES, until } from '../host/wire.ts';
import type { Guest } from './guest.ts';

const NO_UNIT =
  'systemctl list-units --all --plain --no-legend "holdfast-*"; ls /run/systemd/transient 2>/dev/null | grep holdfast';

export async function units(guest: Guest): Promise<string> {
  return (await guest.exec(['bash', '-c', NO_UNIT])).out;
}

export async function applied(guest: Guest, changes: Record<string, string> = {}) {
  expect(await guest.inject(changes)).toMatchObject({ code: 0, state: 'APPLIED' });
  expect(await guest.connects('peer')).toBe(false);
  return guest.pair();
}

export async function expectClean(guest: Guest): Promise<void> {
  expect(await guest.filter()).toEqual(FOREIGN_RULES);
  await until('the end of the unit', 10, async () => (await units(guest)) === '');
}
