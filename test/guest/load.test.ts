import { beforeAll, expect, it } from 'vitest';
import { controlGroups, ratePerSecond, workers } from '../host/load.ts';
import { until } from '../host/wire.ts';
import { bootGuest, describeGuest, GUEST_TEST_MS, inGuest } from './guest.ts';
import { isTakenBack, TOLERANCE } from './loaded.ts';

const LOAD_PCT = 40;

describeGuest('load on a kernel with control groups v2, under systemd', () => {
  beforeAll(async () => void (await bootGuest()), GUEST_TEST_MS);

  it('gives the load of a CPU spike what was asked for, also when it forgets its pace', () =>
    inGuest(
      'cpu-spike',
      async (guest) => {
        expect(await guest.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
        const group = await controlGroups(guest);
        expect(group).toMatch(/system\.slice\/holdfast-[0-9a-f]{12}\.scope$/);
        const hog = `echo 0 >${group}/cgroup.procs && exec bash -c 'while :; do :; done' /workers/cpu_load.py`;
        const running = guest.spawn(['bash', '-c', hog]);
        await until('the hog', 5, async () => (await workers(guest, 'cpu_load')).length === 2);
        const share = await ratePerSecond(guest, 'cpu_load', ({ cpuSeconds }) => cpuSeconds, 3);
        expect(share).toBeLessThan(LOAD_PCT / 100 + TOLERANCE);
        expect(share).toBeGreaterThan(LOAD_PCT / 200);
        running.kill('SIGKILL');
        await until('the end of the hog', 5, async () => (await workers(guest, 'cpu_load')).length === 1);
        await isTakenBack(guest);
      },
      { cores: '1', loadPct: String(LOAD_PCT) },
    ));
});
