import { appendFileSync, cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ADDRESS, FOREIGN_RULES, type HostAnswer, PORT, until } from './wire.ts';
import { inWorld, type World } from './world.ts';

const HOST_DIRECTORY = new URL('../../host/', import.meta.url).pathname;
const PAUSE = { pauseSeconds: '0', repeatEverySeconds: '0' };
const CUT = {
  peerAddresses: ADDRESS.peer,
  scope: 'peers',
  direction: 'both',
  packetLossPct: '100',
  ports: '',
  flap: '',
};
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
  for (const module of ['__init__', kind.replaceAll('-', '_')])
    cpSync(`${HOST_DIRECTORY}faults/${module}.py`, join(program, 'faults', `${module}.py`));
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

const sentinel = async (world: World, ...words: string[]) =>
  (await world.exec(['redis-cli', '-p', '26379', 'sentinel', ...words])).out;

/** What Sentinel says of the store. */
async function flagsOf(world: World): Promise<string> {
  const lines = (await sentinel(world, 'master', 'shard-1')).split('\n');
  return lines[lines.indexOf('flags') + 1] ?? '';
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

  it('are refused when both would work on the packets to one peer, which only one of them would see', () =>
    inWorld('network-partition', async (world) => {
      await world.inject(CUT);
      const loss = { peerAddresses: ADDRESS.peer, packetLossPct: '100', correlationPct: '0', flap: '' };
      expect(await injectAnother(world, 'network-loss', loss)).toMatchObject({
        code: 3,
        reason: expect.stringMatching(/exp_test.1 is APPLIED on this host, and works on the packets to 10.99.0.2 too/),
      });
      const elsewhere = { ...loss, peerAddresses: ADDRESS.client };
      expect(await injectAnother(world, 'network-loss', elsewhere)).toMatchObject({ code: 0, state: 'APPLIED' });
      expect(await world.status()).toMatchObject({ state: 'APPLIED' });
    }));

  it('are not both applied when the pair of one is born so late that nobody counted on it any more', () =>
    inWorld('network-partition', async (world) => {
      const lateBirth = `
in_time = main
def main(*arguments):
    import time
    time.sleep(6)
    in_time(*arguments)
`;
      appendFileSync(join(world.directory, 'program/supervision/pair.py'), lateBirth);
      const late = world.inject(CUT);
      await until('its record', 8, async () => (await world.status()).state === 'ARMING');
      const forget = `
known = is_watched
def is_watched(record):
    return record.fault_id != "exp_test.1" and known(record)
`;
      expect(
        await injectAnother(world, 'network-partition', CUT, undefined, (program) =>
          appendFileSync(join(program, 'fault_files.py'), forget),
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
        await sentinel(world, 'set', 'shard-1', 'down-after-milliseconds', '1000');
        expect(await world.inject({ ...CUT, ...OWN })).toMatchObject({ code: 0, state: 'APPLIED' });
        expect(await injectAnother(world, 'process-pause', { ...PAUSE, ...OWN })).toMatchObject({ state: 'APPLIED' });
        await until('a doubt about the role', 8, async () => (await flagsOf(world)).includes('s_down'));
        const startedMs = Date.now();
        const first = world.rollBack('revert');
        // The store stands still, so the one that comes first cannot be done before the other one.
        await until('its fence', 5, async () => (await world.status()).fence.raisedAt !== undefined);
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
