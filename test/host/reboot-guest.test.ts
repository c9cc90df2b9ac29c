import { beforeAll, expect, it } from 'vitest';
import { bootGuest, describeGuest, GUEST_TEST_MS, type Guest, inGuest } from './guest.ts';
import type { KindCase } from './kind-case.ts';
import { KIND_CASES } from './kinds/index.ts';
import { workersOf } from './safety-suite.ts';
import { until } from './wire.ts';

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
    it(kind.kind, () => inGuest(kind.kind, (guest) => takesPower(guest, kind), ownParameters(kind)));
  }
});

function ownParameters({ kind, parameters }: KindCase): Record<string, string> {
  // A supervisor's restart is the guest's way: its unit has Restart=always.
  return kind === 'process-kill' ? { ...parameters, restart: 'supervisor' } : parameters;
}
