import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HOST_FAULT_KINDS, type HostFaultKind } from '../../functions/domain/faults/catalogue.ts';
import { composeProgram } from '../../lib/compose-program.ts';
import { ADDRESS, FOREIGN_RULES, type HostAnswer, until } from './wire.ts';
import { inWorld, type World } from './world.ts';

const NETWORK = 'network-partition';

/** Both in the same instant: stopped first, so that neither sees the other one's end and begins the revert. */
async function killPair(world: World): Promise<void> {
  const { supervisor, runner } = await world.pair();
  await world.exec(['kill', '-STOP', supervisor, runner]);
  await world.exec(['kill', '-KILL', supervisor, runner]);
}

describe.concurrent('one revert, as often as asked', () => {
  it('reports the same fault when it is injected twice, and applies it once', () =>
    inWorld(NETWORK, async (world) => {
      const first = await world.inject();
      const rules = await world.filter();
      // What is seen of it goes on to grow.
      expect({ ...(await world.inject()), effect: first.effect }).toEqual(first);
      expect(await world.filter()).toEqual(rules);
    }));

  it('gives every concurrent revert the same answer, and the host back clean', () =>
    inWorld(NETWORK, async (world) => {
      await world.inject();
      const answers = await Promise.all([world.rollBack('revert'), world.rollBack('revert'), world.rollBack('revert')]);
      expect(answers[0]).toMatchObject({ code: 0, state: 'REVERTED', revertReason: 'ROLLBACK', leftovers: [] });
      expect(answers[1]).toEqual(answers[0]);
      expect(await world.rollBack('revert')).toEqual(answers[0]);
      expect(answers[2]).toEqual(answers[0]);
      expect(await world.filter()).toEqual(FOREIGN_RULES);
      expect(await world.connects('peer')).toBe(true);
    }));

  it('finds its rules by their mark when the record is lost', () =>
    inWorld(NETWORK, async (world) => {
      await world.inject();
      await killPair(world);
      expect(await world.connects('peer')).toBe(false);
      await world.exec(['rm', '-rf', '/run/holdfast']);
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED' });
      expect(await world.filter()).toEqual(FOREIGN_RULES);
    }));

  it('refuses a second fault on the same host', () =>
    inWorld(NETWORK, async (world) => {
      await world.inject();
      expect(await world.inject({ faultId: 'exp_test.2' })).toMatchObject({
        code: 3,
        reason: expect.stringMatching(/exp_test.1 is APPLIED/),
      });
    }));

  it('proves again what could not be read, as often as asked', () =>
    inWorld(NETWORK, async (world) => {
      await world.inject();
      const tc = (await world.exec(['bash', '-c', 'realpath $(type -P tc)'])).out;
      await world.exec(['mount', '--bind', '/bin/false', tc]);
      expect(await world.rollBack('revert')).toMatchObject({ leftovers: ['tc could not be read'] });
      await world.exec(['umount', tc]);
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
    }));

  it('calls no fault refused that was there, when it cannot find out whether all is back', () =>
    inWorld(NETWORK, async (world) => {
      const waitUntilBack = (body: string) => {
        for (const program of ['program', 'roll-back']) {
          const module = join(world.directory, program, 'faults/network_partition.py');
          const method = `def wait_until_back(record):\n    ${body}\n`;
          appendFileSync(module, `\n${method}FAULT.comes_back_late, FAULT.wait_until_back = True, wait_until_back\n`);
        }
      };
      waitUntilBack('raise Refused("systemctl does not answer")');
      await world.inject();
      expect(await world.rollBack('revert')).toMatchObject({
        code: 4,
        state: 'FAILED',
        reason: expect.stringMatching(/not known to be back: systemctl does not answer/),
      });
      waitUntilBack('return None, False');
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      expect(await world.filter()).toEqual(FOREIGN_RULES);
    }));

  it('is not kept by a rule of somebody else that is no text', () =>
    inWorld(NETWORK, async (world) => {
      await world.exec(['bash', '-c', `iptables -A INPUT -s 192.0.2.11 -m comment --comment $'caf\\xe9' -j DROP`]);
      expect((await world.exec(['bash', '-c', "iptables-save | grep -ac $'\\xe9'"])).out).toBe('1');
      expect(await world.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
      expect(await world.connects('peer')).toBe(false);
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [], changes: [] });
      expect(await world.connects('peer')).toBe(true);
    }));

  it('is not barred on a host where the record of an older program says that all is reverted', () =>
    inWorld(NETWORK, async (world) => {
      const old = '/run/holdfast/exp_old.1';
      const record = (state: string) =>
        `mkdir -p ${old}; echo '{"faultId": "exp_old.1", "state": "${state}"}' >${old}/state.json`;
      await world.exec(['bash', '-c', record('APPLIED')]);
      expect(await world.inject()).toMatchObject({
        code: 4,
        reason: expect.stringMatching(/exp_old.1\/state.json is no record/),
      });
      await world.exec(['bash', '-c', record('REVERTED')]);
      expect(await world.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
    }));

  it('shows foreign changes of the packet filter instead of undoing them or failing for them', () =>
    inWorld(NETWORK, async (world) => {
      await world.inject();
      await world.exec(['iptables', '-A', 'INPUT', '-s', '192.0.2.10', '-j', 'DROP']);
      const answer = await world.rollBack('revert');
      expect(answer).toMatchObject({
        code: 0,
        state: 'REVERTED',
        leftovers: [],
        changes: ['+ iptables-save filter -A INPUT -s 192.0.2.10/32 -j DROP'],
      });
      expect(await world.filter()).toContain('-A INPUT -s 192.0.2.10/32 -j DROP');
    }));
});

describe.concurrent('the Run Command', () => {
  const hostDirectory = new URL('../../host/', import.meta.url).pathname;

  /** Runs what a document carries, with nothing of the repository on the host. */
  async function command(
    world: World,
    carried: readonly HostFaultKind[],
    parameters: Record<string, string>,
  ): Promise<HostAnswer> {
    writeFileSync(join(world.directory, 'document.sh'), composeProgram(hostDirectory, carried).join('\n'));
    const { code, out } = await world.exec(['bash', '/run/files/document.sh'], world.environment(parameters));
    return { code, ...JSON.parse(out) };
  }

  it('injects and rolls back with nothing on the host but what its documents carry', () =>
    inWorld(NETWORK, async (world) => {
      const parameters = world.faultParameters();
      world.grant(parameters);
      expect(await command(world, ['NETWORK_PARTITION'], parameters)).toMatchObject({ code: 0, state: 'APPLIED' });
      expect(await world.connects('peer')).toBe(false);
      const ids = { experimentId: world.experimentId, faultId: world.faultId };
      expect(await command(world, HOST_FAULT_KINDS, { ...ids, verb: 'status' })).toMatchObject({
        code: 0,
        state: 'APPLIED',
      });
      expect(await command(world, HOST_FAULT_KINDS, { ...ids, verb: 'revert' })).toMatchObject({
        code: 0,
        state: 'REVERTED',
      });
      expect(await world.connects('peer')).toBe(true);
    }));

  it('reverts, fence and all, when record and program are removed together', () =>
    inWorld(NETWORK, async (world) => {
      const fence = { fence: 'redis', fenceMasterName: 'shard-1', fenceSentinels: `${ADDRESS.peer}:26379` };
      const parameters = world.faultParameters(fence);
      world.grant(parameters);
      expect(await command(world, ['NETWORK_PARTITION'], parameters)).toMatchObject({ code: 0, state: 'APPLIED' });
      await world.exec(['rm', '-rf', '/run/holdfast']);
      await until('the lifting', 5, () => world.connects('peer'));
      expect(await world.connects('client')).toBe(false);
      await until('the end of the fence', 20, () => world.connects('client'));
      await until('the end of its rules', 5, async () => (await world.filter()).length === FOREIGN_RULES.length);
    }));

  it('looks for the marks of every kind when it has no record, and finds nothing on a clean host', () =>
    inWorld(NETWORK, async (world) => {
      const ids = { experimentId: world.experimentId, faultId: world.faultId, verb: 'revert' };
      expect(await command(world, HOST_FAULT_KINDS, ids)).toMatchObject({ code: 0, state: 'NOTHING_TO_REVERT' });
      world.faultId = 'exp_test.2';
      await world.inject();
      await killPair(world);
      await world.exec(['rm', '-rf', '/run/holdfast']);
      const answer = await command(world, HOST_FAULT_KINDS, { ...ids, faultId: 'exp_test.2' });
      expect(answer).toMatchObject({ code: 0, state: 'REVERTED', reason: 'found by its mark, without a record' });
      expect(await world.filter()).toEqual(FOREIGN_RULES);
    }));

  it('refuses to inject from a document that carries more than one kind', () =>
    inWorld(NETWORK, async (world) => {
      await world.exec(['cp', '/run/files/roll-back/faults/process_kill.py', '/run/files/program/faults/']);
      expect(await world.inject()).toMatchObject({
        code: 3,
        reason: expect.stringMatching(/exactly one fault to inject/),
      });
      expect(await world.filter()).toEqual(FOREIGN_RULES);
    }));
});

describe.concurrent('parameters are data', () => {
  it('refuses shell metacharacters in every parameter and runs nothing of them', () =>
    inWorld(NETWORK, async (world) => {
      const names = Object.keys(world.faultParameters());
      for (const poison of [
        '$(touch /run/poison)',
        '`touch /run/poison`',
        'x;touch /run/poison',
        '1\ntouch /run/poison',
      ]) {
        const answers = await Promise.all(names.map((name) => world.inject({ [name]: poison })));
        for (const [index, answer] of answers.entries()) {
          expect({ name: names[index], ...answer }).toMatchObject({ code: 3, state: 'REFUSED' });
          expect(answer.reason).toContain(names[index]);
        }
      }
      expect((await world.exec(['test', '-e', '/run/poison'])).code).not.toBe(0);
      expect((await world.exec(['test', '-e', '/run/holdfast/exp_test.1'])).code).not.toBe(0);
    }));

  it('refuses addresses that would cut the supervisor, the host itself, or are no addresses', () =>
    inWorld(NETWORK, async (world) => {
      const refusals: Record<string, RegExp> = {
        [ADDRESS.aws]: /never be cut/,
        '169.254.169.254': /never be cut/,
        [ADDRESS.host]: /address of this host/,
        '127.0.0.1': /not an address of another host/,
        '10.99.0.0/24': /must match/,
        '10.99.0.300': /not an IPv4 or IPv6/,
      };
      for (const [peerAddresses, reason] of Object.entries(refusals)) {
        expect(await world.inject({ peerAddresses })).toMatchObject({ code: 3, reason: expect.stringMatching(reason) });
      }
      expect(await world.inject({ exemptAddresses: ADDRESS.peer })).toMatchObject({
        code: 3,
        reason: expect.stringMatching(/10.99.0.2 is also exempt/),
      });
      expect(await world.filter()).toEqual(FOREIGN_RULES);
    }));
});
