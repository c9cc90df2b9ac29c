import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FOREIGN_RULES, until } from './wire.ts';
import { inWorld, type World } from './world.ts';

async function expectClean(world: World): Promise<void> {
  expect(await world.filter()).toEqual(FOREIGN_RULES);
  expect(await world.connects('peer')).toBe(true);
}

async function applied(world: World, changes: Record<string, string> = {}) {
  expect(await world.inject(changes)).toMatchObject({ code: 0, state: 'APPLIED' });
  expect(await world.connects('peer')).toBe(false);
  return world.pair();
}

describe.concurrent('no single death, stop or hang of the watchdog keeps a fault alive', () => {
  // One process killed or stopped: safety-suite.ts.
  it('reverts by silence when the runner is stopped and the lease frozen', () =>
    inWorld('network-partition', async (world) => {
      const pair = await applied(world);
      world.setLease({ mode: 'frozen' });
      await world.signal('STOP', pair.runner);
      expect(await world.reverted(8)).toMatchObject({ revertReason: 'WATCHDOG_DIED', leftovers: [] });
      await expectClean(world);
    }));

  it('lets a process that was stopped and continued do no harm', () =>
    inWorld('network-partition', async (world) => {
      const pair = await applied(world);
      await world.signal('STOP', pair.runner);
      await world.reverted(8);
      await world.signal('CONT', pair.runner);
      await until('the end of the pair', 5, async () => {
        const left = await world.exec(['bash', '-c', `ps -o stat= -p ${pair.runner},${pair.supervisor} | grep -v Z`]);
        return left.code !== 0;
      });
      await expectClean(world);
    }));

  it('reverts after the TTL when both processes were stopped and only one goes on', () =>
    inWorld('network-partition', async (world) => {
      // The supervisor is told of the end once; both stopped, only the one that continues is left to keep the TTL.
      const pair = await applied(world, { ttlSeconds: '3', leaseGraceSeconds: '30' });
      await world.signal('STOP', pair.supervisor);
      await world.signal('STOP', pair.runner);
      await until(
        'the end of the TTL',
        8,
        async () => Date.now() > Date.parse((await world.status()).appliedAt ?? '') + 3_200,
      );
      await world.signal('CONT', pair.supervisor);
      const end = await world.reverted(3);
      expect(['TTL', 'WATCHDOG_DIED']).toContain(end.revertReason);
      await expectClean(world);
    }));

  it('reverts when the record of the fault is removed under its hands', () =>
    inWorld('network-partition', async (world) => {
      await applied(world);
      await world.exec(['rm', '-rf', '/run/holdfast']);
      expect(await world.reverted(5)).toMatchObject({ revertReason: 'ROLLBACK' });
      await expectClean(world);
    }));

  it('reverts although its record cannot be read any more', () =>
    inWorld('network-partition', async (world) => {
      await applied(world, { ttlSeconds: '4' });
      await world.exec(['bash', '-c', `: >/run/holdfast/${world.faultId}/state.json`]);
      await until('the lifting', 8, () => world.connects('peer'));
      await world.pairEnded();
      await expectClean(world);
    }));

  it('reverts although /run is full', () =>
    inWorld('network-partition', async (world) => {
      await applied(world, { ttlSeconds: '4' });
      await world.exec(['mount', '-o', 'remount,size=1m', '/run']);
      await world.exec(['dd', 'if=/dev/zero', 'of=/run/full', 'bs=4k']);
      expect((await world.exec(['bash', '-c', 'echo x >/run/more'])).code).not.toBe(0);
      await until('the lifting', 8, () => world.connects('peer'));
      await world.exec(['rm', '/run/full']);
      expect(await world.reverted(8)).toMatchObject({ revertReason: 'TTL' });
      await expectClean(world);
    }));

  it('leaves the lock of the host to others when the supervisor is killed right after the birth of the runner', () =>
    inWorld('network-partition', async (world) => {
      const die = `
import signal
write = FaultFiles.write
def write_or_die(self, record):
    if record.pair and record.state is State.ARMING:
        os.kill(os.getpid(), signal.SIGKILL)
    write(self, record)
FaultFiles.write = write_or_die
`;
      appendFileSync(join(world.directory, 'program/fault_files.py'), die);
      expect(await world.inject()).toMatchObject({
        code: 3,
        reason: expect.stringMatching(/ended before it was applied/),
      });
      world.faultId = 'exp_test.2';
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'NOTHING_TO_REVERT' });
      await expectClean(world);
    }));

  it('answers, and leaves nothing, when the record is removed while the command waits', () =>
    inWorld('network-partition', async (world) => {
      world.setLease({ mode: 'frozen' });
      const injecting = world.inject();
      await until('the arming', 8, async () => (await world.status()).state === 'ARMING');
      await world.exec(['rm', '-rf', '/run/holdfast']);
      expect(await injecting).toMatchObject({ code: 4, faultId: world.faultId, revertReason: expect.any(String) });
      world.setLease({ mode: 'advancing' });
      await world.pairEnded();
      await expectClean(world);
    }));

  it('watches without systemd when that hangs, however long the arming took before', () =>
    inWorld('network-partition', async (world) => {
      await world.exec(['mkdir', '-p', '/run/systemd/system']);
      await world.replaceTool('systemd-run', 'exec sleep 60');
      const hold = `import sys, time
sys.path.insert(0, '/run/files/roll-back')
from supervision import lock
with lock.hold('registration'):
    print('held', flush=True)
    time.sleep(8)`;
      const holder = world.spawn(['python3', '-B', '-c', hold]);
      await new Promise((resolve) => holder.stdout?.once('data', resolve));
      await applied(world);
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      await expectClean(world);
    }));

  it('goes on watching when the process group of its Run Command gets SIGKILL', () =>
    inWorld('network-partition', async (world) => {
      const parameters = world.faultParameters({ ttlSeconds: '8' });
      world.grant(parameters);
      world.setLease({ mode: 'frozen' });
      // The command becomes a process group of its own and is killed while it waits for the lease.
      const command = `setsid bash -c 'echo $$; /usr/bin/python3 -B /run/files/program/watchdog.py inject; true' & wait`;
      const child = world.spawn(['bash', '-c', command], world.environment(parameters));
      const group = await new Promise<string>((resolve) =>
        child.stdout?.once('data', (data) => resolve(String(data).trim())),
      );
      await until('the arming', 8, async () => {
        const text = (await world.exec(['cat', `/run/holdfast/${world.faultId}/state.json`])).out;
        return text.includes('"pair"');
      });
      await world.exec(['bash', '-c', `kill -KILL -- -${group}`]);
      // A signal is delivered a moment after `kill` has returned.
      const living = `ps -o stat= -g ${group} | grep -v Z`;
      await until('the end of the group', 8, async () => (await world.exec(['bash', '-c', living])).code !== 0);
      world.setLease({ mode: 'advancing' });
      await until('the fault', 8, async () => (await world.status()).state === 'APPLIED');
      expect(await world.connects('peer')).toBe(false);
      expect(await world.reverted(14)).toMatchObject({ revertReason: 'TTL' });
      await expectClean(world);
    }));
});
