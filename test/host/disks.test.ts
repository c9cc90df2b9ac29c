import { describe, expect, it } from 'vitest';
import { diskFull } from './kinds/disk-full.ts';
import { diskIo } from './kinds/disk-io.ts';
import { DATA_DIRECTORY, dataVolume, inLoadedWorld, mountExt4, VOLUME_BYTES, workers } from './load.ts';
import { type HostAnswer, until } from './wire.ts';
import type { World } from './world.ts';

const MEBIBYTE = 1024 * 1024;

async function applied(world: World, changes: Record<string, string> = {}): Promise<void> {
  expect(await world.inject(changes)).toMatchObject({ code: 0, state: 'APPLIED' });
}

async function refused(world: World, changes: Record<string, string>, reason: RegExp): Promise<void> {
  const answer = await world.inject(changes);
  expect(answer).toMatchObject({ code: 3, state: 'REFUSED' });
  expect(answer.reason).toMatch(reason);
  expect(await workers(world, world.kind.replace('disk-full', 'fill_disk').replace('disk-io', 'load_disk'))).toEqual(
    [],
  );
}

const freeBytes = async (world: World) => (await dataVolume(world)).freeBytes;
const fill = (world: World, bytes: number) =>
  world.exec(['dd', 'if=/dev/zero', `of=${DATA_DIRECTORY}/file`, 'bs=1M', `count=${bytes / MEBIBYTE}`]);

/** A worker alone, as a fault would start it; its answer. */
function runWorker(world: World, words: string) {
  const life = `exec 9< <(sleep 5 2>&-); HOLDFAST_LIFE_FD=9 HOLDFAST_ENDS_AT=99999999999`;
  return world.exec(['bash', '-c', `${life} exec /usr/bin/python3 -I -B /run/files/program/workers/${words}`]);
}

/** A load on the disk of a host whose own program is a filling: with a program of its own, granted beside. */
async function injectLoadBeside(world: World): Promise<HostAnswer> {
  const carry =
    'cd /run/files; cp -r program load; rm load/faults/*; cp roll-back/faults/{__init__,disk_io}.py load/faults/';
  await world.exec(['bash', '-c', carry]);
  const common = world.faultParameters({ ...diskIo.parameters, workers: '1', faultId: 'exp_test.2' });
  for (const name of ['fillPct', 'fillBytes', 'reserveBytes', 'allowRootVolume']) delete common[name];
  world.grant(common, true);
  const inject = ['/usr/bin/python3', '-B', '/run/files/load/watchdog.py', 'inject'];
  const { code, out } = await world.exec(inject, world.environment(common));
  return { code, ...JSON.parse(out) };
}

describe.concurrent('disk full', () => {
  it('leaves the store no room to write, and can be taken back without any', () =>
    inLoadedWorld(diskFull, async (world) => {
      await applied(world, { fillPct: '100', reserveBytes: '0' });
      await until('the full volume', 3, async () => (await freeBytes(world)) === 0);
      expect((await fill(world, MEBIBYTE)).out).toContain('No space left');
      await world.exec(['rm', `${DATA_DIRECTORY}/file`]);
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      expect(await freeBytes(world)).toBe(VOLUME_BYTES);
    }));

  it('never takes the reserve', () =>
    inLoadedWorld(diskFull, async (world) => {
      const reserve = 20 * MEBIBYTE;
      await applied(world, { fillPct: '100', reserveBytes: String(reserve) });
      await until('the fill', 3, async () => (await freeBytes(world)) === reserve);
    }));

  it('says how much space it saw held when it was applied', () =>
    inLoadedWorld(diskFull, async (world) => {
      const { effect } = await world.inject();
      expect(effect).toMatchObject({ measure: 'space held', unit: 'bytes', observedAt: expect.stringMatching(/Z$/) });
      expect(effect?.value).toBeGreaterThan(0);
      expect(effect?.value).toBeLessThanOrEqual(0.9 * VOLUME_BYTES);
    }));

  it('takes as many bytes as were asked for', () =>
    inLoadedWorld(diskFull, async (world) => {
      await applied(world, { fillPct: '0', fillBytes: String(10 * MEBIBYTE) });
      await until('the fill', 3, async () => (await freeBytes(world)) === VOLUME_BYTES - 10 * MEBIBYTE);
    }));

  it('fills a real file system as everyone sees it, without what is kept for root', () =>
    inLoadedWorld(diskFull, async (world) => {
      await mountExt4(world, 128);
      const before = await freeBytes(world);
      await applied(world, { fillPct: '100', reserveBytes: String(8 * MEBIBYTE) });
      // The file system itself keeps books of what was taken.
      await until('the fill', 3, async () => Math.abs((await freeBytes(world)) - 8 * MEBIBYTE) < MEBIBYTE / 4);
      expect(await freeBytes(world)).toBeGreaterThanOrEqual(8 * MEBIBYTE);
      await world.rollBack('revert');
      expect(await freeBytes(world)).toBe(before);
    }));

  it('fills a real file system to its last block, which needs some for its own books', () =>
    inLoadedWorld(diskFull, async (world) => {
      // Without root's own reserve, which would pay for the books.
      await mountExt4(world, 64, ['-m', '0']);
      await applied(world, { fillPct: '100', reserveBytes: '0' });
      await until('the full volume', 3, async () => (await freeBytes(world)) < MEBIBYTE / 4);
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
    }));

  it('frees everything at once when the process that holds the file is killed', () =>
    inLoadedWorld(diskFull, async (world) => {
      await applied(world);
      await until('the fill', 3, () => diskFull.isThere(world));
      const [holder] = await workers(world, 'fill_disk');
      await world.signal('KILL', holder?.pid ?? '');
      await until('the space', 0.5, async () => (await freeBytes(world)) === VOLUME_BYTES);
      expect(await world.reverted(5)).toMatchObject({ revertReason: 'WORKER_DIED', leftovers: [] });
    }));

  it('is refused on the root volume unless that is asked for', () =>
    inLoadedWorld(diskFull, (world) =>
      refused(world, { dataDirectory: '/usr' }, /is on the root volume; allowRootVolume/),
    ));

  it('is refused on a volume that shares the space of the root volume, as subvolumes do', () =>
    inLoadedWorld(diskFull, async (world) => {
      const source = (await world.exec(['findmnt', '-no', 'SOURCE', '/'])).out;
      await world.exec(['umount', DATA_DIRECTORY]);
      await world.exec(['mount', '-t', 'tmpfs', '-o', `size=${VOLUME_BYTES}`, source, DATA_DIRECTORY]);
      await refused(world, {}, /is on the root volume; allowRootVolume/);
    }));

  it('takes nothing when another volume is there than the one that was looked at', () =>
    inLoadedWorld(diskFull, async (world) => {
      const answer = await runWorker(world, `fill_disk.py ${DATA_DIRECTORY} 1 1048576 0 0`);
      expect(answer).toMatchObject({ code: 1, out: expect.stringMatching(/another volume than before/) });
    }));

  it('is refused where a file cannot be without a name, which would stay when its maker dies', () =>
    inLoadedWorld(diskFull, (world) =>
      refused(world, { dataDirectory: '/sys/kernel' }, /can have no file without a name \(O_TMPFILE\): Operation not/),
    ));

  it('is refused on the volume that holds its own records', () =>
    inLoadedWorld(diskFull, (world) =>
      refused(world, { dataDirectory: '/run/holdfast', allowRootVolume: 'yes' }, /is on the volume of \/run/),
    ));

  it.each([
    ['a directory that is not there', { dataDirectory: '/run/nothing' }, /is not a directory of this host/],
    ['a file', { dataDirectory: '/etc/hostname' }, /is not a directory of this host/],
    ['a way around', { dataDirectory: '/run/data/../../usr' }, /is not a directory of this host/],
    ['a reserve that is not free', { reserveBytes: String(VOLUME_BYTES) }, /^reserveBytes: \d+ bytes are free/],
    ['both a share and bytes', { fillBytes: '1048576' }, /exactly one of them must not be 0/],
    ['neither a share nor bytes', { fillPct: '0' }, /exactly one of them must not be 0/],
  ])('is refused for %s', (_, changes, reason) => inLoadedWorld(diskFull, (world) => refused(world, changes, reason)));

  it('is refused when the volume is as full as it should become', () =>
    inLoadedWorld(diskFull, async (world) => {
      await fill(world, 60 * MEBIBYTE);
      await refused(world, { fillPct: '80' }, /^fillPct: 80 % of the volume of \/run\/data are in use already/);
    }));
});

describe.concurrent('disk load', () => {
  it('takes no more than a quarter of what is free', () =>
    inLoadedWorld(diskIo, async (world) => {
      await applied(world, { workers: '2', bytesPerSecond: String(64 * MEBIBYTE) });
      // At once, so that it does not write on into what a filling leaves free.
      expect(await freeBytes(world)).toBe((VOLUME_BYTES * 3) / 4);
    }));

  it('says how much it saw read and written when it was applied', () =>
    inLoadedWorld(diskIo, async (world) => {
      const { effect } = await world.inject();
      expect(effect).toMatchObject({ measure: 'bytes read and written', unit: 'bytes' });
      expect(effect?.observedAt).toMatch(/Z$/);
      expect(effect?.value).toBeGreaterThan(0);
    }));

  it('takes nothing of what a filling of the same volume leaves free', () =>
    inLoadedWorld(diskFull, async (world) => {
      const [filled, reserve] = [24 * MEBIBYTE, 30 * MEBIBYTE];
      await applied(world, { fillPct: '0', fillBytes: String(filled), reserveBytes: String(reserve) });
      await until('the fill', 3, async () => (await freeBytes(world)) === VOLUME_BYTES - filled);
      const reason = `there are ${VOLUME_BYTES - filled - reserve}`;
      expect(await injectLoadBeside(world)).toMatchObject({ code: 3, reason: expect.stringContaining(reason) });
      expect(await freeBytes(world)).toBe(VOLUME_BYTES - filled);
    }));

  it('takes nothing when a filling has begun since it was prepared', () =>
    inLoadedWorld(diskIo, async (world) => {
      const device = (await world.exec(['stat', '-c', '%d', DATA_DIRECTORY])).out;
      const kept = VOLUME_BYTES - 4 * MEBIBYTE + 1;
      const words = `load_disk.py ${DATA_DIRECTORY} ${device} 1 1048576 ${4 * MEBIBYTE} ${kept}`;
      expect(await runWorker(world, words)).toMatchObject({ code: 1, out: expect.stringMatching(/that stay so/) });
    }));

  it('is refused on a volume that is too small for its files', () =>
    inLoadedWorld(diskIo, (world) => refused(world, { workers: '16' }, /^workers: 16 need 268435456 bytes/)));
});
