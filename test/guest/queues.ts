import { expect } from 'vitest';
import { networkLatency } from '../host/kinds/network-latency.ts';
import { networkLoss } from '../host/kinds/network-loss.ts';
import type { Guest } from './guest.ts';

/** The second wire of the guest, and the same hosts over IPv6. */
export const SECOND = { host: '10.98.0.1', peer: '10.98.0.2', client: '10.98.0.3' } as const;
export const SIX = { host: 'fd99::1', peer: 'fd99::2', client: 'fd99::3' } as const;
/** What the guest itself may add to the quickest of some round trips; it emulates a machine on a busy one. */
const SLACK_MS = 40;
export const LATENCY = { ...networkLatency.parameters, latencyMs: '200' };
export const LOSS = networkLoss.parameters;

interface Pings {
  lostPct: number;
  minMs: number;
  maxMs: number;
}

/** Real packets from the other end of the wire and back: only their answers leave the guest. */
export async function pings(guest: Guest, from: string, to: string, count = 10): Promise<Pings> {
  const { out } = await guest.far(['ping', '-q', `-c${count}`, '-i0.02', '-W3', '-I', from, to]);
  const [minMs, maxMs] = (/= ([\d.]+)\/[\d.]+\/([\d.]+)/.exec(out)?.slice(1) ?? []).map(Number);
  const lostPct = Number(/([\d.]+)% packet loss/.exec(out)?.[1]);
  return { lostPct, minMs: minMs ?? Number.NaN, maxMs: maxMs ?? Number.NaN };
}

export async function expectDelayed(guest: Guest, from: string, to: string, latencyMs: number): Promise<void> {
  const { lostPct, minMs } = await pings(guest, from, to);
  expect(lostPct).toBe(0);
  expect(minMs).toBeGreaterThan(latencyMs - 1);
  expect(minMs).toBeLessThan(latencyMs + SLACK_MS);
}

export async function expectPrompt(guest: Guest, from: string, to: string): Promise<void> {
  const { lostPct, minMs } = await pings(guest, from, to);
  expect(lostPct).toBe(0);
  expect(minMs).toBeLessThan(SLACK_MS);
}

export const qdiscs = async (guest: Guest) => (await guest.exec(['tc', 'qdisc', 'show'])).out;
export const bash = (guest: Guest, script: string) => guest.exec(['bash', '-ec', script]);
export const APPLIED = { code: 0, state: 'APPLIED' };

export async function takeBack(guest: Guest): Promise<void> {
  const answer = await guest.rollBack('revert');
  expect(answer.reason).toBeUndefined();
  expect(answer).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [], changes: [] });
}
