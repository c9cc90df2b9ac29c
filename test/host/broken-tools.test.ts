import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectFaultThere, expectNothingThere } from './expect-partition.ts';
import { ADDRESS, until } from './wire.ts';
import { inWorld, type World } from './world.ts';

const NETWORK = 'network-partition';

/** The script of the fault, run by hand. */
function partition(world: World, verb: string) {
  return world.exec(['bash', '/run/files/program/faults/network-partition.sh', verb], {
    PATH: '/usr/local/sbin:/usr/sbin:/usr/bin',
    HOLDFAST_FAULT_ID: world.faultId,
    HOLDFAST_FAMILIES: '4 6',
    HOLDFAST_PEERS: ADDRESS.peer,
    HOLDFAST_EXEMPT: '',
    HOLDFAST_CLIENT_PORTS: '6379',
    HOLDFAST_DIRECTION: 'both',
    HOLDFAST_LOSS: '100',
    HOLDFAST_PORTS: '',
  });
}

async function breakIpv6(world: World): Promise<void> {
  for (const tool of ['ip6tables', 'ip6tables-save', 'ip6tables-restore']) await world.replaceTool(tool, 'exit 1');
}

describe.concurrent('a packet filter that does not work', () => {
  it('cuts and gives the host back, fence and all, on a host without ip6tables', () =>
    inWorld(
      NETWORK,
      async (world) => {
        await world.startRedis();
        await world.startSentinel();
        await breakIpv6(world);
        const fence = { fence: 'redis', fenceMasterName: 'shard-1', fenceSentinels: `${ADDRESS.host}:26379` };
        expect(await world.inject(fence)).toMatchObject({ code: 0, state: 'APPLIED' });
        await expectFaultThere(world);
        const answer = await world.rollBack('revert');
        expect(answer).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [], fence: { outcome: 'SETTLED' } });
        await expectNothingThere(world);
      },
      false,
    ));

  it('calls nothing reverted that it can no longer read, and goes on until it can', () =>
    inWorld(NETWORK, async (world) => {
      await world.inject();
      await expectFaultThere(world);
      writeFileSync(join(world.directory, 'broken'), '');
      await world.replaceTool('ip6tables-save', '[ ! -e /run/files/broken ] && exec /usr/sbin/ip6tables-save "$@"');
      expect(await world.rollBack('revert')).toMatchObject({ code: 4, state: 'FAILED' });
      expect(await partition(world, 'status')).not.toMatchObject({ code: 0 });
      rmSync(join(world.directory, 'broken'));
      expect(await world.reverted(15)).toMatchObject({ leftovers: [] });
      await expectNothingThere(world);
      expect((await world.exec(['ip6tables-save', '-t', 'filter'])).out).not.toMatch(/holdfast/);
    }));
});

describe.concurrent('nothing of a fault goes on behind the back of its way back', () => {
  it('ends what a script had started when the script takes too long', () =>
    inWorld(NETWORK, async (world) => {
      // Hangs once, so that the rules of the fault would come after the watchdog has given up and reverted.
      await world.replaceTool(
        'iptables-restore',
        'if mkdir /run/hung 2>/dev/null; then sleep 9; fi\nexec /usr/sbin/iptables-restore "$@"',
      );
      const answer = await world.inject();
      expect(answer).toMatchObject({ code: 4, reason: expect.stringMatching(/took longer/) });
      expect((await world.exec(['test', '-d', '/run/hung'])).code).toBe(0);
      await until(
        'the end of the hanging tool',
        12,
        async () => (await world.exec(['pgrep', '-x', 'sleep', '-a'])).out.includes('sleep 9') === false,
      );
      expect(await world.reverted(5)).toMatchObject({ revertReason: 'APPLY_FAILED', leftovers: [] });
      await expectNothingThere(world);
    }));

  it('ends what a half had started when that half is killed in the middle of it', () =>
    inWorld(NETWORK, async (world) => {
      await world.replaceTool(
        'iptables-restore',
        'if mkdir /run/hung 2>/dev/null; then sleep 4; fi\nexec /usr/sbin/iptables-restore "$@"',
      );
      const injected = world.inject();
      await until('the hanging tool', 12, async () => (await world.exec(['test', '-d', '/run/hung'])).code === 0);
      await world.signal('KILL', (await world.pair()).runner);
      await injected;
      await until(
        'the end of the hanging tool',
        12,
        async () => !(await world.exec(['pgrep', '-x', 'sleep', '-a'])).out.includes('sleep 4'),
      );
      expect(await world.reverted(5)).toMatchObject({ revertReason: 'WATCHDOG_DIED', leftovers: [] });
      await expectNothingThere(world);
    }));

  it('takes back what is there again after it was reverted', () =>
    inWorld(NETWORK, async (world) => {
      await world.inject();
      expect(await world.rollBack('revert')).toMatchObject({ state: 'REVERTED' });
      const late = await partition(world, 'apply');
      expect(late).toMatchObject({ code: 0 });
      await expectFaultThere(world);
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      await expectNothingThere(world);
    }));
});

describe.concurrent('the lock of the host', () => {
  const hold = `import sys, time
sys.path.insert(0, '/run/files/program')
from store import Store
with Store('other.1').lock():
    print('held', flush=True)
    time.sleep(7)
print('let go', flush=True)`;

  it('is waited for while its holder works, and the holder lives', () =>
    inWorld(NETWORK, async (world) => {
      const holder = world.spawn(['python3', '-B', '-c', hold]);
      let said = '';
      holder.stdout?.on('data', (data) => {
        said += String(data);
      });
      await until('the lock', 5, async () => said.includes('held'));
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'NOTHING_TO_REVERT' });
      await until('the end of the holder', 5, async () => said.includes('let go'));
    }));

  it('is waited for with one line in the log for a dead holder whose child has kept it', () =>
    inWorld(NETWORK, async (world) => {
      const keep = `import os, sys, time
sys.path.insert(0, '/run/files/program')
from store import Store
with Store('other.1').lock():
    if os.fork():
        os._exit(0)
    time.sleep(3)
    os._exit(0)`;
      await world.exec(['bash', '-c', 'python3 -B -c "$1" >/dev/null 2>&1', 'bash', keep]);
      const wait = `import sys
sys.path.insert(0, '/run/files/program')
from store import Store
with Store('other.2').lock(patience_seconds=0.2):
    print('got it', flush=True)`;
      const { out } = await world.exec(['bash', '-c', 'python3 -B -c "$1" 2>&1', 'bash', wait]);
      expect(out.split('\n')).toEqual([expect.stringMatching(/ends \d+, which held lock for/), 'got it']);
    }));

  it('is taken from a holder that is stopped', () =>
    inWorld(NETWORK, async (world) => {
      const holder = world.spawn(['bash', '-c', 'echo $$; exec python3 -B -c "$1"', 'bash', hold]);
      let said = '';
      holder.stdout?.on('data', (data) => {
        said += String(data);
      });
      await until('the lock', 5, async () => said.includes('held'));
      await world.signal('STOP', said.split('\n')[0] ?? '');
      const startedMs = Date.now();
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'NOTHING_TO_REVERT' });
      expect(Date.now() - startedMs).toBeLessThan(5_000);
    }));
});
