import { appendFileSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ADDRESS, FOREIGN_RULES, type HostAnswer, PORT, until } from './wire.ts';
import { inWorld, type World } from './world.ts';

const HOST_DIRECTORY = new URL('../../host/', import.meta.url).pathname;
const PAUSE = { pauseSeconds: '0', repeatEverySeconds: '0' };
const CUT = { peerAddresses: ADDRESS.peer, scope: 'peers', direction: 'both', packetLossPct: '100', ports: '' };
const OWN = { fence: 'redis', fenceMasterName: 'shard-1', fenceSentinels: `${ADDRESS.host}:26379` };

/** Another fault on a host whose own program is a partition: with a program of its own, and granted beside the first. */
async function injectAnother(
  world: World,
  kind: string,
  own: Record<string, string>,
  ids = { experimentId: 'exp_test', faultId: 'exp_test.2' },
  change: (program: string) => void = () => {},
): Promise<HostAnswer> {
  const program = join(world.directory, kind);
  cpSync(HOST_DIRECTORY, program, { recursive: true });
  rmSync(join(program, 'faults'), { recursive: true });
  cpSync(`${HOST_DIRECTORY}faults/${kind}.sh`, join(program, 'faults', `${kind}.sh`));
  change(program);
  const common = world.faultParameters();
  for (const name of Object.keys(world.kindParameters())) delete common[name];
  const parameters = { ...common, ...own, ...ids };
  world.grant(parameters, true);
  const words = ['/usr/bin/python3', '-B', `/run/files/${kind}/watchdog.py`, 'inject'];
  const answer = await world.exec(words, world.environment(parameters));
  return { code: answer.code, ...JSON.parse(answer.out) };
}

async function storeState(world: World): Promise<string> {
  const pid = await world.exec(['bash', '-c', `ss -Hltnp sport = :${PORT} | grep -o 'pid=[0-9]*' | cut -d= -f2`]);
  return (await world.exec(['ps', '-o', 'stat=', '-p', pid.out])).out.slice(0, 1);
}

describe.concurrent('several faults on one host', () => {
  it('live side by side when they share nothing, and each is taken back alone', () =>
    inWorld('network-partition', async (world) => {
      expect(await world.inject(CUT)).toMatchObject({ code: 0, state: 'APPLIED' });
      expect(await injectAnother(world, 'process-pause', PAUSE)).toMatchObject({ code: 0, state: 'APPLIED' });
      expect(await storeState(world)).toBe('T');
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      expect(await world.filter()).toEqual(FOREIGN_RULES);
      // Asked again, the first one still has nothing to say about the second.
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      expect(await storeState(world)).toBe('T');
      world.faultId = 'exp_test.2';
      expect(await world.status()).toMatchObject({ state: 'APPLIED' });
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      expect(await storeState(world)).not.toBe('T');
    }));

  it('each leave the other alone when the pair of one is killed', () =>
    inWorld('network-partition', async (world) => {
      await world.inject(CUT);
      expect(await injectAnother(world, 'process-pause', PAUSE)).toMatchObject({ code: 0, state: 'APPLIED' });
      await world.signal('KILL', (await world.pair()).runner);
      expect(await world.reverted(8)).toMatchObject({ revertReason: 'WATCHDOG_DIED', leftovers: [] });
      // A stopped process still gets its connections from the kernel.
      expect(await world.connects('peer')).toBe(true);
      expect(await storeState(world)).toBe('T');
      world.faultId = 'exp_test.2';
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      expect(await storeState(world)).not.toBe('T');
    }));

  it('are refused when they would change the same thing', () =>
    inWorld('network-partition', async (world) => {
      await world.inject(CUT);
      expect(await injectAnother(world, 'network-partition', CUT)).toMatchObject({
        code: 3,
        reason: expect.stringMatching(/exp_test.1 is APPLIED on this host; one fault at a time on its packet-filter/),
      });
      await world.rollBack('revert');
      expect(await injectAnother(world, 'network-partition', CUT)).toMatchObject({ code: 0, state: 'APPLIED' });
    }));

  it('are not both applied when the pair of one is born so late that nobody counted on it any more', () =>
    inWorld('network-partition', async (world) => {
      const pair = join(world.directory, 'program/pair.py');
      writeFileSync(pair, `import time\nif __name__ == "__main__": time.sleep(6)\n${readFileSync(pair, 'utf8')}`);
      const late = world.inject(CUT);
      await until('its record', 8, async () => (await world.status()).state === 'ARMING');
      const forget = `
known = is_watched
def is_watched(state):
    return state["faultId"] != "exp_test.1" and known(state)
`;
      expect(
        await injectAnother(world, 'network-partition', CUT, undefined, (program) =>
          appendFileSync(join(program, 'store.py'), forget),
        ),
      ).toMatchObject({ code: 0, state: 'APPLIED' });
      const rules = await world.filter();
      expect(await late).toMatchObject({
        code: 3,
        reason: expect.stringMatching(/exp_test.2 is APPLIED on this host; one fault at a time on its packet-filter/),
      });
      expect(await world.filter()).toEqual(rules);
      world.faultId = 'exp_test.2';
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      expect(await world.filter()).toEqual(FOREIGN_RULES);
    }));

  it('are refused when they belong to different experiments', () =>
    inWorld('network-partition', async (world) => {
      await world.inject(CUT);
      const other = { experimentId: 'exp_other', faultId: 'exp_other.1' };
      expect(await injectAnother(world, 'process-pause', PAUSE, other)).toMatchObject({
        code: 3,
        reason: expect.stringMatching(/exp_test.1 is APPLIED on this host; one experiment at a time/),
      });
      expect(await storeState(world)).not.toBe('T');
    }));

  it('leave what is paused now to the fault that is active, when an earlier pause is taken back once more', () =>
    inWorld('network-partition', async (world) => {
      expect(await injectAnother(world, 'process-pause', PAUSE)).toMatchObject({ state: 'APPLIED' });
      world.faultId = 'exp_test.2';
      expect(await world.rollBack('revert')).toMatchObject({ state: 'REVERTED', leftovers: [] });
      const third = { experimentId: 'exp_test', faultId: 'exp_test.3' };
      expect(await injectAnother(world, 'process-pause', PAUSE, third)).toMatchObject({ state: 'APPLIED' });
      expect(await world.rollBack('revert')).toMatchObject({ state: 'REVERTED' });
      expect(await storeState(world)).toBe('T');
      world.faultId = 'exp_test.3';
      expect(await world.rollBack('revert')).toMatchObject({ state: 'REVERTED', leftovers: [] });
      expect(await storeState(world)).not.toBe('T');
    }));

  it('are not kept on the revert by the fence of another one', () =>
    inWorld(
      'network-partition',
      async (world) => {
        await world.startRedis();
        const unsettled = { ...OWN, fenceSentinels: `${ADDRESS.peer}:26379` };
        expect(await world.inject({ ...CUT, ...unsettled })).toMatchObject({ code: 0, state: 'APPLIED' });
        expect(await injectAnother(world, 'process-pause', PAUSE)).toMatchObject({ code: 0, state: 'APPLIED' });
        const fenced = world.rollBack('revert');
        await until('the fence', 8, async () => !(await world.connects('client')));
        world.faultId = 'exp_test.2';
        expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
        expect(await storeState(world)).not.toBe('T');
        expect(await world.connects('client')).toBe(false);
        expect(await fenced).toMatchObject({
          code: 0,
          state: 'REVERTED',
          fence: { outcome: 'DEADLINE' },
          leftovers: [],
        });
        expect(await world.connects('client')).toBe(true);
      },
      false,
    ));

  it('take their fences down together, each its own, once the store has settled', () =>
    inWorld(
      'network-partition',
      async (world) => {
        await world.startRedis();
        await world.startSentinel();
        expect(await world.inject({ ...CUT, ...OWN })).toMatchObject({ code: 0, state: 'APPLIED' });
        expect(await injectAnother(world, 'process-pause', { ...PAUSE, ...OWN })).toMatchObject({ state: 'APPLIED' });
        const startedMs = Date.now();
        const first = world.rollBack('revert');
        world.faultId = 'exp_test.2';
        const answers = await Promise.all([first, world.rollBack('revert')]);
        for (const answer of answers) {
          expect(answer).toMatchObject({ state: 'REVERTED', fence: { outcome: 'SETTLED' }, leftovers: [] });
        }
        await until('the clients', 2, () => world.connects('client'));
        expect(Date.now() - startedMs).toBeLessThan(12_000);
        expect(await world.filter()).toEqual(FOREIGN_RULES);
      },
      false,
    ));
});
