import { describe, expect, it } from 'vitest';
import { processPause } from './kinds/process-pause.ts';
import { inLoadedWorld, storeState, workers } from './load.ts';
import { pausesOf } from './pauses.ts';
import { PORT, until } from './wire.ts';
import type { World } from './world.ts';

async function applied(world: World, changes: Record<string, string>): Promise<string> {
  const { pid } = await storeState(world, PORT);
  expect(await world.inject(changes)).toMatchObject({ code: 0, state: 'APPLIED' });
  return pid;
}

describe.concurrent('process pause', () => {
  it('pauses once and lets the process run until the end when nothing is to be repeated', () =>
    inLoadedWorld(processPause, async (world) => {
      const pid = await applied(world, { pauseSeconds: '1', repeatEverySeconds: '0' });
      await until('the end of the pause', 3, async () => (await storeState(world, PORT)).state !== 'T');
      // Longer than an effect may be missing: that the process runs now is what was asked for.
      expect(await pausesOf(world, pid, 4.5)).toEqual([]);
      expect((await world.status()).state).toBe('APPLIED');
    }));

  it.each([
    ['until the end', { pauseSeconds: '0' }],
    ['for a while', { pauseSeconds: '600' }],
    ['again and again', { pauseSeconds: '599', repeatEverySeconds: '600' }],
  ])('says that it saw the process stopped %s, and ends when somebody else continues it', (_, changes) =>
    inLoadedWorld(processPause, async (world) => {
      const { pid } = await storeState(world, PORT);
      const effect = {
        measure: 'process stopped',
        value: 1,
        unit: 'yes or no',
        observedAt: expect.stringMatching(/Z$/),
      };
      expect(await world.inject(changes)).toMatchObject({ code: 0, state: 'APPLIED', effect });
      await world.signal('CONT', pid);
      expect(await world.reverted(8)).toMatchObject({
        revertReason: 'EFFECT_LOST',
        effectLostAt: expect.stringMatching(/Z$/),
        effect,
        leftovers: [],
      });
      expect((await storeState(world, PORT)).state).not.toBe('T');
    }),
  );

  it('lets the process run when the worker that paused it is killed in the middle of a pause', () =>
    inLoadedWorld(processPause, async (world) => {
      await applied(world, {});
      const [worker] = await workers(world, 'pause_cycle');
      expect((await storeState(world, PORT)).state).toBe('T');
      await world.signal('KILL', worker?.pid ?? '');
      await until('the process', 2, async () => (await storeState(world, PORT)).state !== 'T');
      expect(await world.reverted(5)).toMatchObject({ revertReason: 'WORKER_DIED', leftovers: [] });
    }));

  it('lets a process stand that someone else has stopped after the fault had ended', () =>
    inLoadedWorld(processPause, async (world) => {
      const pid = await applied(world, {});
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      await world.signal('STOP', pid);
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      expect((await storeState(world, PORT)).state).toBe('T');
    }));

  it('is told by the same boot of the host, when its record and its pair are lost and it stays', () =>
    inLoadedWorld(processPause, async (world) => {
      const { bootId } = await world.inject({ pauseSeconds: '0' });
      expect(bootId).toMatch(/^[0-9a-f-]{36}$/);
      const { supervisor, runner } = await world.pair();
      await world.exec(['kill', '-STOP', supervisor, runner]);
      await world.exec(['kill', '-KILL', supervisor, runner]);
      await world.exec(['rm', '-rf', '/run/holdfast']);
      // Nothing on the host tells of it: only who knows of the injection can tell that this is no proof.
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'NOTHING_TO_REVERT', bootId });
      expect((await storeState(world, PORT)).state).toBe('T');
    }));

  it('never touches a process that was given the number of the recorded one', () =>
    inLoadedWorld(processPause, async (world) => {
      const { pid } = await storeState(world, PORT);
      const life = `exec 9< <(sleep 5 2>&-); HOLDFAST_LIFE_FD=9 HOLDFAST_ENDS_AT=99999999999`;
      const worker = `/usr/bin/python3 -I -B /run/files/program/workers/pause_cycle.py ${pid} 1 600 0`;
      const answer = await world.exec(['bash', '-c', `${life} exec ${worker}`]);
      expect(answer).toMatchObject({ code: 1, out: `process ${pid} (start time 1) is gone` });
      expect((await storeState(world, PORT)).state).not.toBe('T');
    }));

  it.each([
    ['a repetition without a pause', '0', /: repeatEverySeconds must be 0 without pauseSeconds$/],
    ['a pause as long as its repetition', '5', /: pauseSeconds must be less than repeatEverySeconds$/],
  ])('is refused for %s', (_, pauseSeconds, reason) =>
    inLoadedWorld(processPause, async (world) => {
      const answer = await world.inject({ pauseSeconds, repeatEverySeconds: '5' });
      expect(answer).toMatchObject({ code: 3, state: 'REFUSED' });
      expect(answer.reason).toMatch(reason);
    }),
  );
});
