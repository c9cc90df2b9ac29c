import { describe, expect, it } from 'vitest';
import { cpuSpike } from '../kinds/cpu-spike.ts';
import { controlGroups, inLoadedWorld, ratePerSecond, workers } from '../load.ts';
import { until } from '../wire.ts';
import type { World } from '../world.ts';

/** Processor time on a machine that others use: the kernel counts in ticks, and the load begins in the middle of one. */
const TOLERANCE = 0.08;

async function applied(world: World, changes: Record<string, string>): Promise<void> {
  expect(await world.inject(changes)).toMatchObject({ code: 0, state: 'APPLIED' });
}

const cores = (world: World, seconds: number) =>
  ratePerSecond(world, 'cpu_load', ({ cpuSeconds }) => cpuSeconds, seconds);

describe('the load of a CPU spike', () => {
  it('takes the processor time that was asked for, and no more', () =>
    inLoadedWorld(cpuSpike, async (world) => {
      await applied(world, { cores: '2', loadPct: '30' });
      const taken = await cores(world, 3);
      expect(taken).toBeLessThan(0.6 + TOLERANCE);
      // A busy machine may have been with somebody else the rest of the time.
      expect(taken).toBeGreaterThan(0.3);
      expect(await world.rollBack('revert')).toMatchObject({ state: 'REVERTED', leftovers: [] });
      expect(await controlGroups(world)).toBe('');
    }));

  it('is held to its share by the kernel, also when a load forgets its pace', () =>
    inLoadedWorld(cpuSpike, async (world) => {
      await applied(world, { cores: '1', loadPct: '30' });
      const group = await controlGroups(world);
      const hog = `echo 0 >${group}/cgroup.procs && exec bash -c 'while :; do :; done' /workers/cpu_load.py`;
      const running = world.spawn(['bash', '-c', hog]);
      await until('the hog', 5, async () => (await workers(world, 'cpu_load')).length === 2);
      expect(await cores(world, 3)).toBeLessThan(0.3 + TOLERANCE);
      running.kill('SIGKILL');
    }));
});
