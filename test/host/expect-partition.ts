import { expect } from 'vitest';
import type { Host } from './host.ts';
import { FOREIGN_RULES } from './wire.ts';

/** The host is cut off, from its peer and from a client that is none. */
export async function expectFaultThere(host: Host): Promise<void> {
  expect(await host.connects('peer')).toBe(false);
  expect(await host.connects('client')).toBe(false);
}

/** Both reach the store again, and the packet filter has somebody else's rules alone, in their order. */
export async function expectNothingThere(host: Host): Promise<void> {
  expect(await host.filter()).toEqual(FOREIGN_RULES);
  expect(await host.connects('peer')).toBe(true);
  expect(await host.connects('client')).toBe(true);
}
