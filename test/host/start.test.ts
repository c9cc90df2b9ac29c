import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

describe.concurrent('a store that shut itself under a fault, and runs', () => {
  const shut = async (world: World) => {
    await world.exec(['bash', '-c', 'kill -USR1 "$(cat /run/unit.pid)"']);
    await until('that it serves nobody', 5, async () => !(await isUp(world)));
  };
  const onShut = (test: (world: World) => Promise<void>) =>
    onUnit(async (world) => {
      expect(await world.inject({ scope: 'peers' })).toMatchObject({ state: 'APPLIED' });
      await shut(world);
      expect(await world.rollBack('revert')).toMatchObject({ state: 'REVERTED' });
      await test(world);
    });
  const restarts = async (world: World) =>
    (await world.exec(['bash', '-c', 'cat /run/restarted 2>/dev/null'])).out.split('\n').filter(Boolean).length;

  it('is started anew once the fault is over, and twice is as once', () =>
    onShut(async (world) => {
      expect(await start(world)).toMatchObject({ code: 0, started: true });
      await until('the store', 5, () => isUp(world));
      expect(await start(world)).toMatchObject({ code: 0, started: false });
      expect(await restarts(world)).toBe(1);
    }));

  it('is left alone while it serves, and where it began after the fault: it is on its way', () =>
    onShut(async (world) => {
      await world.exec(['bash', '-c', 'kill -KILL "$(cat /run/unit.pid)"; sleep 0.2; systemctl start store']);
      await until('the store', 5, () => isUp(world));
      expect(await start(world)).toMatchObject({ code: 0, started: false });
      await shut(world);
      expect(await start(world)).toMatchObject({ code: 0, started: false });
      expect(await restarts(world)).toBe(0);
    }));

  it('that takes long to end is on its way, and is asked for once', () =>
    inWorld(
      'network-partition',
      async (world) => {
        await world.startUnit({ shutdownSeconds: 4 });
        expect(await world.inject({ scope: 'peers' })).toMatchObject({ state: 'APPLIED' });
        await shut(world);
        expect(await world.rollBack('revert')).toMatchObject({ state: 'REVERTED' });
        expect(await start(world)).toMatchObject({ code: 0, started: true });
        expect(await start(world)).toMatchObject({ code: 0, started: false });
        await until('the store', 10, () => isUp(world));
        expect(await restarts(world)).toBe(1);
      },
      false,
    ));

  it('that cannot be started anew is a problem that says why', () =>
    onShut(async (world) => {
      const path = join(world.directory, 'systemctl');
      const refusing = readFileSync(path, 'utf8').replace(/ {2}restart\).*/, '  restart) echo "masked" >&2; exit 1 ;;');
      writeFileSync(path, refusing);
      const { code, reason } = await start(world);
      expect(code).not.toBe(0);
      expect(reason).toContain('systemctl restart redis-server failed with 1: masked');
    }));
});
