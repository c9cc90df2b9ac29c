import { describe, expect, it } from 'vitest';
import type { HostAnswer } from './wire.ts';
import { until } from './wire.ts';
import { inWorld, type World } from './world.ts';

/** The verb of the roll-back program that starts a store which had ended. */
async function start(world: World): Promise<HostAnswer & { started?: boolean }> {
  const parameters = { experimentId: world.experimentId, faultId: world.faultId };
  const words = ['/usr/bin/python3', '-B', '/run/files/roll-back/watchdog.py', 'start'];
  const { code, out } = await world.exec(words, world.environment(parameters));
  return { code, ...JSON.parse(out) };
}

const isUp = (world: World) => world.connects('client');

/** The store of the host is a unit, and a fault that has nothing to do with it was on the host. */
function onUnit(test: (world: World) => Promise<void>): Promise<void> {
  return inWorld(
    'network-partition',
    async (world) => {
      await world.startUnit();
      await test(world);
    },
    false,
  );
}

async function endStore(world: World): Promise<void> {
  await world.exec(['bash', '-c', 'kill -KILL "$(cat /run/unit.pid)"']);
  await until('the end of the store', 5, async () => !(await isUp(world)));
}

describe.concurrent('a store that ended by itself under a fault', () => {
  it('is started once the fault is over, and twice is as once', () =>
    onUnit(async (world) => {
      expect(await world.inject({ scope: 'peers' })).toMatchObject({ state: 'APPLIED' });
      await endStore(world);
      expect(await world.rollBack('revert')).toMatchObject({ state: 'REVERTED' });
      expect(await isUp(world)).toBe(false);
      expect(await start(world)).toMatchObject({ code: 0, faultId: world.faultId, started: true });
      await until('the store', 5, () => isUp(world));
      expect(await start(world)).toMatchObject({ code: 0, started: false });
    }));

  it('is left alone while a fault lives on its host', () =>
    onUnit(async (world) => {
      expect(await world.inject({ scope: 'peers' })).toMatchObject({ state: 'APPLIED' });
      await endStore(world);
      expect(await start(world)).toMatchObject({
        code: 3,
        reason: expect.stringMatching(/no fault of this id has ended/),
      });
      expect(await isUp(world)).toBe(false);
    }));

  it('is not touched for a fault that the host never had', () =>
    onUnit(async (world) => {
      expect(await start(world)).toMatchObject({ code: 3, state: 'REFUSED' });
    }));
});

describe.concurrent('a store that shut its own doors under a fault, and runs', () => {
  /** As an engine is that does so: its tool opens the doors. */
  const onShut = (engine: string, test: (world: World) => Promise<void>) =>
    onUnit(async (world) => {
      await world.replaceTool(
        'nodetool',
        'echo "$1" >>/run/nodetool; [ "$1" != enablebinary ] || kill -USR2 "$(cat /run/unit.pid)"',
      );
      expect(await world.inject({ scope: 'peers', engine, fence: 'none' })).toMatchObject({ state: 'APPLIED' });
      await world.exec(['bash', '-c', 'kill -USR1 "$(cat /run/unit.pid)"']);
      await until('the doors', 5, async () => !(await isUp(world)));
      expect(await world.rollBack('revert')).toMatchObject({ state: 'REVERTED' });
      await test(world);
    });

  it('is asked to open them once the fault is over, in the order that it needs, and twice is as once', () =>
    onShut('cassandra', async (world) => {
      expect(await start(world)).toMatchObject({ code: 0, started: true });
      await until('the doors', 5, () => isUp(world));
      expect(await start(world)).toMatchObject({ code: 0, started: false });
      expect((await world.exec(['cat', '/run/nodetool'])).out).toBe('enablegossip\nenablebinary');
    }));

  it('is left alone where its engine never does so, and where it began after the fault', async () => {
    await onShut('kafka', async (world) => expect(await start(world)).toMatchObject({ code: 0, started: false }));
    await onShut('cassandra', async (world) => {
      await world.exec([
        'bash',
        '-c',
        'kill -KILL "$(cat /run/unit.pid)"; sleep 0.2; systemctl start store; sleep 0.5',
      ]);
      await world.exec(['bash', '-c', 'kill -USR1 "$(cat /run/unit.pid)"; sleep 0.2']);
      expect(await start(world)).toMatchObject({ code: 0, started: false });
    });
  });

  it('that cannot be asked is a problem that says why', () =>
    onShut('cassandra', async (world) => {
      await world.replaceTool('nodetool', 'echo "connection refused" >&2; exit 1');
      const { code, reason } = await start(world);
      expect([code, reason]).toEqual([
        expect.any(Number),
        expect.stringContaining('nodetool enablegossip failed with 1: connection refused'),
      ]);
      expect(code).not.toBe(0);
    }));
});
