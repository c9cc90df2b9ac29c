import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isBeyondLimit } from '../../../functions/domain/guardrails.ts';
import { OBSERVED_DEADLINE_MS, STORE_LOOK } from '../../../functions/domain/timing.ts';
import { CONNECT_TIMEOUT_MS, REQUEST_TIMEOUT_MS } from '../../../functions/engines/kafka/connection.ts';
import { openGate } from '../../../functions/guard/store-gate.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { shardOf, topologyOf } from '../domain/target-fixtures.ts';
import { askedStore, type Said, TOO_FEW } from './asked-store.ts';

const { everyMs, maxAgeSeconds } = STORE_LOOK;
const NEVER: Said = { takesMs: Number.POSITIVE_INFINITY };

/** A store that was asked for the first time. */
async function begun(say?: (look: number) => Said) {
  const clock = new SimulatedClock();
  const store = askedStore(clock, say);
  await store.gate.start();
  return { clock, ...store };
}

describe('the gate before a store', () => {
  it('is a breach until the store has answered, about which nothing is known', () => {
    const reading = askedStore(new SimulatedClock()).gate.reading();
    expect(reading).toMatchObject({ guardrail: 'storeRedundancy', cluster: 'redis-master', limit: 0, breached: true });
    expect(isBeyondLimit(reading)).toBe(false);
  });

  it('holds the newest answer, as old as its question', async () => {
    const { gate, clock } = await begun(() => ({ takesMs: 1500 }));
    expect(gate.reading()).toMatchObject({ value: 0, ageSeconds: 1.5, breached: false });
    await clock.sleep(everyMs - 1);
    expect(gate.reading()).toMatchObject({ ageSeconds: 3.499 });
    await clock.sleep(1);
    expect(gate.reading()).toMatchObject({ ageSeconds: 1.5 });
  });

  it('never asks twice at once, nor sooner than every two seconds, however long each answer takes', async () => {
    const durations = fc.array(fc.integer({ min: 0, max: 12_000 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(durations, async (takesMs) => {
        const { gate, askedAtMs, seen, clock } = await begun((look) => ({ takesMs: takesMs[look] ?? 0 }));
        await clock.sleep(60_000);
        gate.stop();
        expect(seen.mostAtOnce).toBe(1);
        for (const [look, duration] of takesMs.entries()) {
          const [asked = Number.NaN, next] = askedAtMs.slice(look);
          if (next !== undefined) expect(next - asked).toBe(Math.max(everyMs, duration));
        }
        expect(askedAtMs.length).toBeGreaterThan(4);
      }),
      { numRuns: 50 },
    );
  });

  it('refuses with the partition and its numbers as soon as the store was asked', async () => {
    const { gate } = await begun(() => ({ takesMs: 20, refusal: TOO_FEW }));
    const reading = gate.reading();
    expect(reading).toMatchObject({ value: 1, breached: true, reason: TOO_FEW.detail });
    expect(isBeyondLimit(reading)).toBe(true);
  });

  it('is blind, and not crossed, when a store that hangs has not answered for longer than an answer may be old', async () => {
    const { gate, clock, seen } = await begun((look) => (look === 0 ? { takesMs: 0 } : NEVER));
    await clock.sleep(maxAgeSeconds * 1000);
    expect(gate.reading()).toMatchObject({ breached: false, ageSeconds: maxAgeSeconds });
    await clock.sleep(100);
    const reading = gate.reading();
    expect(reading).toMatchObject({ breached: true, reason: expect.stringMatching(/8\.1 s ago, at most 8 s/) });
    expect(isBeyondLimit(reading)).toBe(false);
    expect(seen).toEqual({ running: 1, mostAtOnce: 1 });
  });

  it('does not take what comes too late for news', async () => {
    const { gate, clock } = await begun((look) => ({ takesMs: look === 0 ? 0 : 9000 }));
    await clock.sleep(everyMs + 9000 + 100);
    expect(gate.reading()).toMatchObject({ ageSeconds: 9.1, breached: true });
  });

  it('says why the store could not be asked, and goes on asking', async () => {
    const { gate, clock } = await begun((look) => ({ takesMs: 10, ...(look < 2 ? { error: 'no route' } : {}) }));
    expect(gate.reading()).toMatchObject({ breached: true, reason: 'the store has not answered: no route' });
    await clock.sleep(2 * everyMs + 100);
    expect(gate.reading()).toMatchObject({ breached: false, value: 0 });
  });

  it('does not take the silence of all of them for an answer', async () => {
    const topology = topologyOf([], { problems: ['kafka-node-1 does not answer'] });
    const { gate } = await begun(() => ({ takesMs: 10, topology }));
    expect(gate.reading()).toMatchObject({ breached: true, reason: expect.stringMatching(/kafka-node-1 does not/) });
    expect(gate.reading()).not.toHaveProperty('value');
  });

  it('is begun when the first look is over, or at the latest long before an injection is given up', async () => {
    const { clock, gate } = await begun(() => NEVER);
    expect(clock.monotonicMs()).toBe(maxAgeSeconds * 1000);
    expect(clock.monotonicMs()).toBeLessThan(OBSERVED_DEADLINE_MS);
    expect(gate.reading()).toMatchObject({ breached: true });
  });

  it('asks no more once it is stopped', async () => {
    const { clock, gate, askedAtMs } = await begun();
    await clock.sleep(10 * everyMs);
    gate.stop();
    const asked = askedAtMs.length;
    expect(asked).toBeGreaterThan(9);
    await clock.sleep(10 * everyMs);
    expect(askedAtMs.length).toBe(asked);
  });

  it('bears three looks in a row at brokers of which one hangs, the middle one lost', () => {
    expect(maxAgeSeconds * 1000).toBeGreaterThanOrEqual(3 * (CONNECT_TIMEOUT_MS + REQUEST_TIMEOUT_MS));
  });
});

describe('what a healthy store may say in passing', () => {
  const silent = (forSeconds: number, detail = 'kafka-node-2 does not answer') => ({
    takesMs: 0,
    refusal: { detail, numbers: {}, forSeconds },
  });
  const well: Said = { takesMs: 0 };
  const lost: Said = { takesMs: 0, error: 'no route' };
  /** Whether it is a refusal after each look. */
  async function crossedAfter(looks: readonly Said[]): Promise<boolean[]> {
    const { gate, clock } = await begun((look) => looks[look] ?? well);
    const crossed: boolean[] = [];
    // Between two looks.
    await clock.sleep(everyMs / 2);
    for (const _ of looks) {
      crossed.push(isBeyondLimit(gate.reading()));
      await clock.sleep(everyMs);
    }
    gate.stop();
    return crossed;
  }

  it.each([
    ['counts once it was so at every look for that long', [silent(3), silent(3), silent(3)], [false, false, true]],
    [
      'begins anew after a look at which it was not so',
      [silent(3), silent(3), well, silent(3), silent(3)],
      Array(5).fill(false),
    ],
    ['goes on over a look without an answer', [silent(3), lost, silent(3)], [false, false, true]],
    ['counts at once when it need not last', [silent(0)], [true]],
    [
      'counts for two that are silent by turns',
      [silent(3, 'one'), silent(3, 'two'), silent(3, 'one')],
      [false, false, true],
    ],
    [
      'is not helped by a reason that may last longer',
      [silent(45), silent(45), silent(3), silent(3)],
      Array(4).fill(false),
    ],
    [
      'is helped by one that may last less long',
      [silent(5), silent(3), silent(3), silent(5)],
      [false, false, false, true],
    ],
  ])('%s', async (_what, looks, expected) => {
    expect(await crossedAfter(looks)).toEqual(expected);
  });

  it('is a breach exactly when every look for that long refused, for nothing that may last longer', async () => {
    const looks = fc.array(fc.option(fc.constantFrom(0, 2, 3, 5, 9), { nil: undefined }), { maxLength: 15 });
    await fc.assert(
      fc.asyncProperty(looks, async (given) => {
        const crossed = await crossedAfter(given.map((each) => (each === undefined ? well : silent(each))));
        for (const [index, forSeconds] of given.entries()) {
          const needed = forSeconds === undefined ? Number.NaN : Math.ceil((forSeconds * 1000) / everyMs);
          const since = given.slice(Math.max(0, index - needed), index + 1);
          const held = since.length > needed && since.every((each) => each !== undefined && each <= (forSeconds ?? 0));
          expect(crossed[index]).toBe(held);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('the gate of an engine', () => {
  it('is not there for an engine that only its guardrails can end, and its store is not opened', async () => {
    const open = () => Promise.reject(new Error('opened'));
    expect(await openGate({}, 'redis-master', ['redis-node-1'], open, new SimulatedClock())).toBeUndefined();
  });

  it('asks about the nodes that are hit', async () => {
    const topology = topologyOf([shardOf('shard-1', 'redis-node-1')]);
    const refuseDuring = (...[seen, impacted]: [unknown, readonly string[]]) => ({
      detail: `${seen === topology ? 'this' : 'another'} without ${impacted.join()}`,
      numbers: {},
    });
    const open = async () => ({ readTopology: async () => topology });
    const gate = await openGate({ refuseDuring }, 'redis-master', ['redis-node-1'], open, new SimulatedClock());
    await gate?.start();
    gate?.stop();
    expect(gate?.reading()).toMatchObject({ breached: true, reason: 'this without redis-node-1' });
  });
});
