import { describe, expect, it } from 'vitest';
import { HOST } from '../../../functions/domain/timing.ts';
import { until } from '../wire.ts';
import { inWorld, type World } from '../world.ts';

const GRACE_SECONDS = 3;
/** One run says how busy the machine was at that moment. */
const RUNS = 5;

/** A single run may have met a busy moment, and looking takes its time: no run is later than that. Seconds. */
const LATEST_SECONDS = { release: 1.5, loss: GRACE_SECONDS + 2 * HOST.pollSeconds, death: 2.5 };

/** What ends a partition, and how soon the peer must be reached again, seconds: the middle one of the runs, and each. */
const ENDS: {
  what: string;
  promisedSeconds: number;
  latestSeconds: number;
  end: (world: World) => Promise<unknown>;
}[] = [
  {
    what: 'its experiment is aborted',
    promisedSeconds: 1,
    latestSeconds: LATEST_SECONDS.release,
    end: async (world) => world.setLease({ state: 'RELEASED' }),
  },
  {
    what: 'the kill switch is engaged',
    promisedSeconds: 1,
    latestSeconds: LATEST_SECONDS.release,
    end: async (world) => world.setLease({ global: 'RELEASED' }),
  },
  {
    what: 'its lease is lost',
    // The host sees at its next poll that there was no beat; as long again to lift it, and for the peer to be reached.
    promisedSeconds: GRACE_SECONDS + 2 * HOST.pollSeconds,
    latestSeconds: LATEST_SECONDS.loss,
    end: async (world) => world.setLease({ mode: 'frozen' }),
  },
  {
    what: 'its runner is killed',
    promisedSeconds: 2,
    latestSeconds: LATEST_SECONDS.death,
    end: async (world) => world.signal('KILL', (await world.pair()).runner),
  },
];

/** Seconds from the moment that it should end to the first connection. */
async function measure(world: World, end: (world: World) => Promise<unknown>): Promise<number> {
  expect(await world.inject({ leaseGraceSeconds: String(GRACE_SECONDS) })).toMatchObject({ code: 0, state: 'APPLIED' });
  expect(await world.connects('peer')).toBe(false);
  const startedMs = performance.now();
  await end(world);
  await until('the peer', 20, () => world.connects('peer'));
  return (performance.now() - startedMs) / 1000;
}

/** The safety suite holds every kind to looser limits, beside others: these are the promised ones. */
describe('a network partition', () => {
  it.each(ENDS)(
    'is gone within $promisedSeconds s when $what',
    async ({ what, promisedSeconds, latestSeconds, end }) => {
      const seconds: number[] = [];
      const run = () => inWorld('network-partition', async (world) => void seconds.push(await measure(world, end)));
      await Promise.all(Array.from({ length: RUNS }, run));
      const sorted = seconds.sort((a, b) => a - b);
      process.stderr.write(`gone after ${what}: ${sorted.map((each) => each.toFixed(2)).join(' ')} s\n`);
      expect(sorted[Math.floor(RUNS / 2)]).toBeLessThan(promisedSeconds);
      expect(sorted.at(-1)).toBeLessThan(latestSeconds);
    },
  );
});
