import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cpuSpike } from './kinds/cpu-spike.ts';
import { memoryPressure } from './kinds/memory-pressure.ts';
import { controlGroups, inLoadedWorld, sessionRank, workers } from './load.ts';
import { until } from './wire.ts';
import type { World } from './world.ts';

const MEBIBYTE = 1024 * 1024;

async function applied(world: World, changes: Record<string, string> = {}): Promise<void> {
  expect(await world.inject(changes)).toMatchObject({ code: 0, state: 'APPLIED' });
}

async function refused(world: World, changes: Record<string, string>, reason: RegExp): Promise<void> {
  const answer = await world.inject(changes);
  expect(answer).toMatchObject({ code: 3, state: 'REFUSED' });
  expect(answer.reason).toMatch(reason);
  expect(await controlGroups(world)).toBe('');
}

describe.concurrent('CPU spike', () => {
  it('competes as an ordinary process, below the pair that watches it', () =>
    inLoadedWorld(cpuSpike, async (world) => {
      await applied(world);
      const loads = await workers(world, 'cpu_load');
      expect(loads.map(({ nice, oomScoreAdjustment }) => [nice, oomScoreAdjustment])).toEqual([[0, 0]]);
      for (const { pid } of loads) expect(await sessionRank(world, pid)).toMatch(/^(0|no autogroups)$/);
      const { supervisor, runner } = await world.pair();
      for (const pid of [supervisor, runner]) {
        expect((await world.exec(['ps', '-o', 'ni=', '-p', pid])).out.trim()).toBe('-10');
        expect(await sessionRank(world, pid)).toMatch(/^(-10|no autogroups)$/);
      }
    }));

  it('says how much processor time it saw the load take when it was applied', () =>
    inLoadedWorld(cpuSpike, async (world) => {
      const { effect } = await world.inject();
      expect(effect).toMatchObject({ measure: 'processor time of the load', unit: 's' });
      expect(effect?.observedAt).toMatch(/Z$/);
      expect(effect?.value).toBeGreaterThan(0);
      expect(effect?.value).toBeLessThan(4);
    }));

  it('is refused for more cores than the host has', () =>
    inLoadedWorld(cpuSpike, (world) =>
      refused(world, { cores: '512' }, /^cores: must be 1 to \d+, so many has this host/),
    ));

  it('is refused where no control group can hold it', () =>
    inLoadedWorld(cpuSpike, async (world) => {
      await world.exec(['umount', '-R', '/sys/fs/cgroup']);
      await refused(world, {}, /no control groups with the controller cpu/);
    }));
});

/** What the host says to have, for the program alone: the machine's own memory is everybody's. */
function setAvailable(world: World, bytes: number): void {
  const path = join(world.directory, 'meminfo');
  const rows = `MemTotal: ${1024 * 1024} kB\nMemAvailable: ${String(Math.floor(bytes / 1024)).padStart(10)} kB\n`;
  // In one piece and in its place: it is read meanwhile.
  if (existsSync(path)) writeFileSync(path, rows, { flag: 'r+' });
  else writeFileSync(path, rows);
}

const heldBytes = async (world: World) =>
  (await workers(world, 'hold_memory')).reduce((sum, { residentBytes }) => sum + residentBytes, 0);

/** What Python needs beside the memory that it holds. */
const PROGRAM_BYTES = 24 * MEBIBYTE;

describe.concurrent('memory pressure', () => {
  it('holds the memory that was asked for, in pages that are there', () =>
    inLoadedWorld(memoryPressure, async (world) => {
      await applied(world, { memoryBytes: String(200 * MEBIBYTE) });
      await until('the memory', 5, async () => (await heldBytes(world)) >= 200 * MEBIBYTE);
      expect(await heldBytes(world)).toBeLessThan(200 * MEBIBYTE + PROGRAM_BYTES);
      await world.rollBack('revert');
      expect(await heldBytes(world)).toBe(0);
    }));

  it('takes a share of the memory of the host when it is asked for a share', () =>
    inLoadedWorld(memoryPressure, async (world) => {
      setAvailable(world, 900 * MEBIBYTE);
      await world.exec(['mount', '--bind', '/run/files/meminfo', '/proc/meminfo']);
      await applied(world, { memoryBytes: '0', memoryPct: '10' });
      await until('the memory', 5, async () => (await heldBytes(world)) >= 102 * MEBIBYTE);
      expect(await heldBytes(world)).toBeLessThan(103 * MEBIBYTE + PROGRAM_BYTES);
    }));

  it('gives memory back when less than the reserve is available to others, and ends when it holds none any more', () =>
    inLoadedWorld(memoryPressure, async (world) => {
      setAvailable(world, 900 * MEBIBYTE);
      await world.exec(['mount', '--bind', '/run/files/meminfo', '/proc/meminfo']);
      await applied(world, { reserveBytes: String(100 * MEBIBYTE) });
      await until('the memory', 5, async () => (await heldBytes(world)) >= 96 * MEBIBYTE);
      setAvailable(world, 99 * MEBIBYTE);
      // By the load itself, which lives: that the fault ends comes later.
      await until('the memory given back', 3, async () =>
        (await workers(world, 'hold_memory')).some(({ residentBytes }) => residentBytes < PROGRAM_BYTES),
      );
      expect(await world.reverted(8)).toMatchObject({
        revertReason: 'EFFECT_LOST',
        effectLostAt: expect.stringMatching(/Z$/),
        leftovers: [],
      });
      expect(await workers(world, 'hold_memory')).toEqual([]);
    }));

  it('says how much memory it saw held when it was applied', () =>
    inLoadedWorld(memoryPressure, async (world) => {
      const { effect } = await world.inject();
      expect(effect).toMatchObject({ measure: 'memory held', unit: 'bytes', observedAt: expect.stringMatching(/Z$/) });
      // No more than was asked for, without what the program itself takes.
      expect(effect?.value).toBeGreaterThanOrEqual(MEBIBYTE);
      expect(effect?.value).toBeLessThan(Number(memoryPressure.parameters.memoryBytes) + MEBIBYTE);
    }));

  it('takes nothing while the reserve cannot be kept', () =>
    inLoadedWorld(memoryPressure, async (world) => {
      const reserve = String(10 ** 13);
      await refused(
        world,
        { reserveBytes: reserve },
        /^reserveBytes: \d+ bytes of memory are available .* none can be taken/,
      );
      expect(await heldBytes(world)).toBe(0);
    }));

  it('is refused unless exactly one of bytes and share is given', () =>
    inLoadedWorld(memoryPressure, (world) => refused(world, { memoryPct: '5' }, /exactly one of them must not be 0/)));

  it('is the first that the kernel ends when memory is short', () =>
    inLoadedWorld(memoryPressure, async (world) => {
      await applied(world);
      expect((await workers(world, 'hold_memory')).map(({ oomScoreAdjustment }) => oomScoreAdjustment)).toEqual([1000]);
    }));

  it('cannot take more than was asked for, even if it wanted to', () =>
    inLoadedWorld(memoryPressure, async (world) => {
      await applied(world);
      const group = await controlGroups(world);
      const greedy = `echo 0 >${group}/cgroup.procs && exec python3 -c 'x = b"1" * (600 << 20); print("taken")'`;
      expect((await world.exec(['bash', '-c', greedy])).out).not.toContain('taken');
    }));
});
