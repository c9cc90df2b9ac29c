import { beforeAll, expect, it } from 'vitest';
import type { KindCase } from '../../host/kind-case.ts';
import { KIND_CASES } from '../../host/kinds/index.ts';
import { processKill } from '../../host/kinds/process-kill.ts';
import { workersOf } from '../../host/safety-suite.ts';
import { until } from '../../host/wire.ts';
import { bootGuest, describeGuest, GUEST_TEST_MS, type Guest, inGuest } from '../guest.ts';

/** Debian's unit brings a killed store back at once, so it cannot be seen to be away; that its record is gone can. */
const NEVER_AWAY = ['process-kill'];

async function ours(guest: Guest): Promise<string> {
  const look = `ls /run/holdfast 2>/dev/null; ls -d /sys/fs/cgroup/holdfast-* /sys/fs/cgroup/*/holdfast-* 2>/dev/null
iptables-save | grep -i holdfast; tc qdisc show | grep -E 'qdisc (netem|prio)'; systemctl list-units --all --plain --no-legend 'holdfast-*'; true`;
  return (await guest.exec(['bash', '-c', look])).out;
}

async function takesPower(guest: Guest, kind: KindCase): Promise<void> {
  await kind.prepare?.(guest);
  const before = await kind.traces(guest);
  expect(await guest.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
  if (!NEVER_AWAY.includes(kind.kind)) await until('the fault', 10, () => kind.isThere(guest));
  expect(await ours(guest)).not.toBe('');
  await guest.reboot();
  // What a test has put there itself (a volume in memory) is gone as well.
  await kind.prepare?.(guest);
  await until('the store', 20, () => guest.connects('client'));
  expect(await kind.isThere(guest)).toBe(false);
  expect(await ours(guest)).toBe('');
  expect(await workersOf(guest)).toEqual([]);
  expect((await guest.exec(['systemctl', 'is-active', 'redis-server', 'chrony'])).out).toBe('active\nactive');
  if (!kind.kind.startsWith('process-')) expect(await kind.traces(guest)).toBe(before);
}

describeGuest('a reboot in the middle of a fault ends it and leaves nothing of it', () => {
  beforeAll(async () => void (await bootGuest()), GUEST_TEST_MS);

  for (const kind of KIND_CASES) {
    it(kind.kind, () => inGuest(kind.kind, (guest) => takesPower(guest, kind), kind.parameters));
  }

  it('and is not held up by the revert of a killed store, which nobody starts any more', () =>
    inGuest(
      'process-kill',
      async (guest) => {
        const unit = '/run/systemd/system/redis-server.service.d';
        await guest.exec([
          'bash',
          '-c',
          `mkdir -p ${unit}; printf '[Service]\nRestart=no\n' >${unit}/test.conf; systemctl daemon-reload`,
        ]);
        expect(await guest.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
        expect(await guest.connects('client')).toBe(false);
        const startedMs = performance.now();
        await guest.shutDownAndStart();
        // The revert may take 45 s of the shutdown; the guest needs a third of that to end and to begin.
        expect(performance.now() - startedMs).toBeLessThan(45_000);
        await until('the store', 20, () => guest.connects('client'));
        expect(await ours(guest)).toBe('');
      },
      processKill.parameters,
    ));

  it('process-kill that leaves the start to the supervisor', () => {
    const supervised = { ...processKill, parameters: { ...processKill.parameters, restart: 'supervisor' } };
    return inGuest(supervised.kind, (guest) => takesPower(guest, supervised), supervised.parameters);
  });
});
