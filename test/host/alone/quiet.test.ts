import { describe, expect, it } from 'vitest';
import { readWatchdogUsage } from '../../../bench/watchdog-usage.ts';
import { diskIo } from '../kinds/disk-io.ts';
import { processPause } from '../kinds/process-pause.ts';
import {
  controlGroups,
  DATA_DIRECTORY,
  dataVolume,
  inLoadedWorld,
  mountExt4,
  ratePerSecond,
  storeState,
  VOLUME_BYTES,
  workers,
} from '../load.ts';
import { pausesOf } from '../pauses.ts';
import { PORT, until } from '../wire.ts';
import { inWorld, type World } from '../world.ts';

const SAMPLE_MS = 20_000;
const MEBIBYTE = 1024 * 1024;
const TOLERANCE_SECONDS = 0.05;

async function applied(world: World, changes: Record<string, string> = {}): Promise<void> {
  expect(await world.inject(changes)).toMatchObject({ code: 0, state: 'APPLIED' });
}

/** They measure, but want little of the processor: they can be side by side. */
describe.concurrent('on a quiet machine', () => {
  it('the watchdog costs at most 1 % of one core and 32 MB, shared with nobody, while it holds a fault over TLS', () =>
    inWorld('network-partition', async (world) => {
      expect(await world.inject({ ttlSeconds: '120' })).toMatchObject({ code: 0, state: 'APPLIED' });
      const before = readWatchdogUsage(world.firstPid);
      const startedMs = performance.now();
      await until('the sample', 60, async () => performance.now() - startedMs > SAMPLE_MS);
      const after = readWatchdogUsage(world.firstPid);
      const elapsedSeconds = (performance.now() - startedMs) / 1000;
      expect(await world.connects('peer')).toBe(false);
      const share = (after.cpuSeconds - before.cpuSeconds) / elapsedSeconds;
      process.stderr.write(`watchdog: ${(100 * share).toFixed(2)} % of a core, ${after.megabytes.toFixed(1)} MB\n`);
      // A machine that others use as well costs more; what an idle one says is in docs/benchmarks.md.
      expect(share).toBeLessThan(0.01);
      expect(after.megabytes).toBeGreaterThan(5);
      expect(after.megabytes).toBeLessThan(32);
    }));

  it('a disk load reads and writes no more than was asked for, all workers together', () =>
    inLoadedWorld(diskIo, async (world) => {
      const asked = 6 * MEBIBYTE;
      await applied(world, { workers: '3', bytesPerSecond: String(asked) });
      expect((await workers(world, 'load_disk')).length).toBe(3);
      const seen = await ratePerSecond(world, 'load_disk', ({ ioBytes }) => ioBytes, 3);
      expect(seen).toBeLessThan(asked * 1.1);
      expect(seen).toBeGreaterThan(asked / 2);
      await world.rollBack('revert');
      expect((await dataVolume(world)).freeBytes).toBe(VOLUME_BYTES);
    }));

  it('a disk load is throttled by the kernel where the volume has a disk, also when a load forgets its pace', () =>
    inLoadedWorld(diskIo, async (world) => {
      await mountExt4(world, 128);
      const asked = 4 * MEBIBYTE;
      await applied(world, { workers: '1', bytesPerSecond: String(asked) });
      const group = await controlGroups(world);
      expect(group).toContain('/blkio/');
      const hog = `echo 0 >${group}/cgroup.procs && exec dd if=/dev/zero of=${DATA_DIRECTORY}/hog bs=1M count=12 oflag=direct`;
      const startMs = performance.now();
      expect((await world.exec(['bash', '-c', hog])).code).toBe(0);
      // 12 MiB at 4 MiB/s, of which the load itself takes its share.
      expect(performance.now() - startMs).toBeGreaterThan(2_500);
      expect(await world.rollBack('revert')).toMatchObject({ state: 'REVERTED', leftovers: [] });
      expect(await controlGroups(world)).toBe('');
    }));

  it('a process pauses again and again, each time as long as was asked for, by the boot clock', () =>
    inLoadedWorld(processPause, async (world) => {
      const { pid } = await storeState(world, PORT);
      await applied(world, { pauseSeconds: '1', repeatEverySeconds: '2' });
      const pauses = await pausesOf(world, pid, 7.5);
      // That it runs in between is the fault, and no effect that was lost.
      expect((await world.status()).state).toBe('APPLIED');
      expect(pauses.length).toBeGreaterThanOrEqual(2);
      for (const { from, to } of pauses) expect(Math.abs(to - from - 1)).toBeLessThan(TOLERANCE_SECONDS);
      for (const [index, { from }] of pauses.slice(1).entries())
        expect(Math.abs(from - (pauses[index]?.from ?? 0) - 2)).toBeLessThan(TOLERANCE_SECONDS);
      expect(await world.rollBack('revert')).toMatchObject({ state: 'REVERTED', leftovers: [] });
      expect(await pausesOf(world, pid, 2.5)).toEqual([]);
      expect((await storeState(world, PORT)).state).not.toBe('T');
    }));
});
