import { beforeAll, expect, it } from 'vitest';
import { diskFull } from '../../host/kinds/disk-full.ts';
import { diskIo } from '../../host/kinds/disk-io.ts';
import { memoryPressure } from '../../host/kinds/memory-pressure.ts';
import { controlGroups } from '../../host/load.ts';
import { until } from '../../host/wire.ts';
import { bootGuest, describeGuest, GUEST_TEST_MS, inGuest } from '../guest.ts';
import { availableBytes, DATA, freeBytes, isTakenBack, MEBIBYTE, save } from '../loaded.ts';

describeGuest('load on a kernel with control groups v2, under systemd', () => {
  beforeAll(async () => void (await bootGuest()), GUEST_TEST_MS);

  it('takes memory until the reserve is left, and gives all of it back', () =>
    inGuest(
      'memory-pressure',
      async (guest) => {
        const before = await availableBytes(guest);
        const reserve = before - 150 * MEBIBYTE;
        const changes = { memoryBytes: '0', memoryPct: '95', reserveBytes: String(reserve) };
        expect(await guest.inject(changes)).toMatchObject({ code: 0, state: 'APPLIED' });
        await until('the pressure', 10, async () => (await availableBytes(guest)) < reserve + 40 * MEBIBYTE);
        // The kernel's own estimate moves by some pages while it is read.
        expect(await availableBytes(guest)).toBeGreaterThan(reserve - 8 * MEBIBYTE);
        await isTakenBack(guest);
        await until('the memory', 10, async () => (await availableBytes(guest)) > before - 30 * MEBIBYTE);
      },
      memoryPressure.parameters,
    ));

  it('leaves Redis no room to save, and room again afterwards', () =>
    inGuest(
      'disk-full',
      async (guest) => {
        await guest.exec(['redis-cli', 'set', 'key', 'value']);
        const before = await freeBytes(guest);
        expect(await guest.inject({ dataDirectory: DATA })).toMatchObject({ code: 0, state: 'APPLIED' });
        await until('the full volume', 10, async () => (await freeBytes(guest)) === 0);
        expect((await save(guest)).out).toContain('ERR');
        await isTakenBack(guest);
        expect(await freeBytes(guest)).toBe(before);
        expect((await save(guest)).out).toBe('OK');
        await guest.exec(['rm', '-f', `${DATA}/dump.rdb`]);
        await guest.exec(['redis-cli', 'flushall']);
      },
      { ...diskFull.parameters, fillPct: '100', reserveBytes: '0' },
    ));

  it('throttles the load of a disk, also when it forgets its pace', () =>
    inGuest(
      'disk-io',
      async (guest) => {
        const changes = { dataDirectory: DATA, workers: '1', bytesPerSecond: String(2 * MEBIBYTE) };
        expect(await guest.inject(changes)).toMatchObject({ code: 0, state: 'APPLIED' });
        const group = await controlGroups(guest);
        const hog = `echo 0 >${group}/cgroup.procs && exec dd if=/dev/zero of=${DATA}/hog bs=1M count=6 oflag=direct`;
        const startMs = performance.now();
        expect((await guest.exec(['bash', '-c', hog])).code).toBe(0);
        expect(performance.now() - startMs).toBeGreaterThan(2_500);
        await guest.exec(['rm', `${DATA}/hog`]);
        await isTakenBack(guest);
      },
      diskIo.parameters,
    ));
});
