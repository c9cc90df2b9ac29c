import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectFaultThere, expectNothingThere } from './expect-partition.ts';
import { ADDRESS, until } from './wire.ts';
import { inWorld, type World } from './world.ts';

const NETWORK = 'network-partition';

/** Not while the host is only tried out: once there is a record. */
const ONCE = 'if [ -e /run/holdfast/exp_test.1/state.json ] && mkdir /run/hung 2>/dev/null; then';

/** A verb of the fault, run by hand with its record. */
function partition(world: World, verb: 'apply' | 'status') {
  const code = `import os, sys
sys.path.insert(0, '/run/files/program')
os.environ['PATH'] = '/usr/local/sbin:/usr/sbin:/usr/bin'
import faults
from fault_files import FaultFiles
record = FaultFiles('${world.faultId}').read()
fault = faults.load(record.kind)
print(fault.status(record) if '${verb}' == 'status' else fault.apply(record, faults.Pipes(0, 1), 60))`;
  return world.exec(['/usr/bin/python3', '-B', '-c', code]);
}

async function breakIpv6(world: World): Promise<void> {
  for (const tool of ['ip6tables', 'ip6tables-save', 'ip6tables-restore']) await world.replaceTool(tool, 'exit 1');
}

describe.concurrent('a command of the host', () => {
  it('takes the priority of who runs it along into its session, so that no busy store keeps a revert waiting', () =>
    inWorld(NETWORK, async (world) => {
      const code = `import os, sys
sys.path.insert(0, '/run/files/program')
from linux import command
os.setpriority(os.PRIO_PROCESS, 0, -10)
print(command.run(['sh', '-c', 'sleep 0.2; ps -o ni= -p $$; cat /proc/self/autogroup 2>/dev/null || echo no autogroups']))`;
      const { out } = await world.exec(['/usr/bin/python3', '-B', '-c', code]);
      expect(out).toMatch(/^\s*-10\n(.* nice -10|no autogroups)\s*$/);
    }));

  it('may say what is no text, and why an effect was lost is told all the same', () =>
    inWorld(NETWORK, async (world) => {
      expect(await world.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
      const code = `import sys
sys.path.insert(0, '/run/files/program')
from fault_files import FaultFiles
files = FaultFiles('${world.faultId}')
files.write_effect_lost('2026-01-01T00:00:00.000Z', 'it said \\udc80')
for _ in range(2): files.write(files.read())
found = files.read()
print(found.effect_lost_at, found.notes.count('it said ?'))
with open(f'{files.directory}/effect-lost', 'wb') as file: file.write(b'\\xff')
print(files.read() is not None)`;
      const { out } = await world.exec(['/usr/bin/python3', '-B', '-c', code]);
      expect(out.trim()).toBe('2026-01-01T00:00:00.000Z 1\nTrue');
    }));
});

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
        expect(answer).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [], fence: { outcome: 'NOT_NEEDED' } });
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

describe.concurrent('nothing of a fault goes on behind the back of its revert', () => {
  it('ends what a verb had started when the verb takes too long', () =>
    inWorld(NETWORK, async (world) => {
      // Hangs once, so that the rules of the fault would come after the watchdog has given up and reverted.
      await world.replaceTool('iptables-restore', `${ONCE} sleep 9; fi\nexec /usr/sbin/iptables-restore "$@"`);
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

  it('ends what a process had started when that process is killed in the middle of it', () =>
    inWorld(NETWORK, async (world) => {
      await world.replaceTool('iptables-restore', `${ONCE} sleep 4; fi\nexec /usr/sbin/iptables-restore "$@"`);
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
      // Until it ends it would take the rules back itself, without the second command.
      await world.pairEnded();
      const late = await partition(world, 'apply');
      expect(late).toMatchObject({ code: 0 });
      await expectFaultThere(world);
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      await expectNothingThere(world);
    }));
});

describe.concurrent('the lock of a resource', () => {
  const hold = `import sys, time
sys.path.insert(0, '/run/files/program')
from supervision import lock
with lock.hold('packet-filter'):
    print('held', flush=True)
    time.sleep(5)
print('done', flush=True)`;

  it('is waited for while its holder works, and the holder lives', () =>
    inWorld(NETWORK, async (world) => {
      await world.inject();
      const holder = world.spawn(['python3', '-B', '-c', hold]);
      let said = '';
      holder.stdout?.on('data', (data) => {
        said += String(data);
      });
      await until('the lock', 5, async () => said.includes('held'));
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      await until('the end of the holder', 5, async () => said.includes('done'));
    }));

  it('is waited for with one line in the log for a dead holder whose child has kept it', () =>
    inWorld(NETWORK, async (world) => {
      const keep = `import os, sys, time
sys.path.insert(0, '/run/files/program')
from supervision import lock
with lock.hold('cpu'):
    if os.fork():
        os._exit(0)
    time.sleep(3)
    os._exit(0)`;
      await world.exec(['bash', '-c', 'python3 -B -c "$1" >/dev/null 2>&1', 'bash', keep]);
      const wait = `import sys
sys.path.insert(0, '/run/files/program')
from supervision import lock
with lock.hold('cpu', patience_seconds=0.2):
    print('got it', flush=True)`;
      const { out } = await world.exec(['bash', '-c', 'python3 -B -c "$1" 2>&1', 'bash', wait]);
      expect(out.split('\n')).toEqual([expect.stringMatching(/ends \d+, which held the lock cpu for/), 'got it']);
    }));

  it('is taken from a holder that is stopped', () =>
    inWorld(NETWORK, async (world) => {
      await world.inject();
      const holder = world.spawn(['bash', '-c', 'echo $$; exec python3 -B -c "$1"', 'bash', hold]);
      let said = '';
      holder.stdout?.on('data', (data) => {
        said += String(data);
      });
      await until('the lock', 5, async () => said.includes('held'));
      await world.signal('STOP', said.split('\n')[0] ?? '');
      const startedMs = Date.now();
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      expect(Date.now() - startedMs).toBeLessThan(4_000);
    }));

  it('of one fault does not keep another one from being lifted, however long the apply of that one takes', () =>
    inWorld(NETWORK, async (world) => {
      await world.inject();
      const holder = world.spawn(['python3', '-B', '-c', hold.replace('packet-filter', 'process')]);
      await new Promise((resolve) => holder.stdout?.once('data', resolve));
      const startedMs = Date.now();
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      expect(Date.now() - startedMs).toBeLessThan(2_500);
      await expectNothingThere(world);
    }));

  it('is given up by the one who applies the fault when that fault is reverted', () =>
    inWorld(NETWORK, async (world) => {
      await world.replaceTool('iptables-restore', `${ONCE} sleep 4; fi\nexec /usr/sbin/iptables-restore "$@"`);
      const injected = world.inject();
      await until('the hanging tool', 12, async () => (await world.exec(['test', '-d', '/run/hung'])).code === 0);
      const startedMs = Date.now();
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      expect(Date.now() - startedMs).toBeLessThan(2_500);
      expect((await injected).state).not.toBe('APPLIED');
      await expectNothingThere(world);
    }));
});

/** Of the host program's own functions: what a script that has them prints. */
async function printed(world: World, script: string): Promise<string[]> {
  const program = "import os, sys, time\nsys.path.insert(0, '/run/files/program')\n";
  const { out } = await world.exec(['bash', '-c', 'python3 -B -c "$1" 2>&1', 'bash', program + script]);
  return out.trim().split('\n');
}

describe.concurrent('between two steps', () => {
  it('nothing that ends by itself is given new life beside a revert, nor after one', () =>
    inWorld(NETWORK, async (world) => {
      const script = `from types import SimpleNamespace
from supervision import lock
from supervision.runner import Runner
given, tombstone = [], []
runner = Runner.__new__(Runner)
runner.fault = SimpleNamespace(refresh=lambda record, seconds: given.append(seconds))
record = SimpleNamespace(resource='packet-filter', fence=SimpleNamespace(is_armed=False))
runner.peer = SimpleNamespace(record=record, files=SimpleNamespace(has_tombstone=lambda: bool(tombstone)))
runner.refresh(1.0)
with lock.hold('packet-filter'):
    runner.refresh(2.0)
tombstone.append('reverted')
runner.refresh(3.0)
print(given)`;
      expect(await printed(world, script)).toEqual(['[1]']);
    }));

  it('a process that has not become a command yet is ended with the verb that started it', () =>
    inWorld(NETWORK, async (world) => {
      const script = `from linux import processes
from supervision import verbs
def act():
    child = os.fork()
    if child == 0:
        os.closerange(0, 64)
        time.sleep(60)
    return child
child = verbs.run('forks', act)
print(processes.is_alive(processes.identify(child)))
found = processes.identify(child)
verbs.end_commands(processes.identify(os.getpid()))
print(processes.is_alive(found))`;
      expect(await printed(world, script)).toEqual(['True', 'False']);
    }));

  it('a decision to leave is kept although the verb that it ends does not end', () =>
    inWorld(NETWORK, async (world) => {
      const script = `from supervision import verbs
class Decision(Exception):
    pass
def decides():
    raise Decision
def fails(pid, owner):
    raise OSError('it does not end')
verbs.end_child = fails
try:
    verbs.run('hangs', lambda: time.sleep(1), tick=decides)
except Decision:
    print('decided')`;
      expect((await printed(world, script)).at(-1)).toBe('decided');
    }));
});
