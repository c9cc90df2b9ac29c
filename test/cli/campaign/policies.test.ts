import { describe, expect, test } from 'vitest';
import { findRole } from '../../../cli/campaign/follow-role.ts';
import { firstNumber, runId } from '../../../cli/campaign/ids.ts';
import { mayPass } from '../../../cli/campaign/may-pass.ts';
import type { SeenNode } from '../../../cli/target-node.ts';
import { PROBLEMS, type ProblemSlug, problem } from '../../../functions/domain/problem.ts';

describe('the id of a run', () => {
  test('is that of the experiment with the number of the run', () => {
    expect(runId('failover', 59)).toBe('failover-59');
  });

  test('is refused by name before anything starts when it would be too long or reserved', async () => {
    const known = async () => {
      throw new Error('asked');
    };
    expect(runId('e'.repeat(48), 9)).toHaveLength(50);
    await expect(firstNumber('e'.repeat(48), 10, known)).rejects.toThrow(/experimentId: .*e-10.*1-50 letters/);
    await expect(firstNumber('nightly-sweep', 1, known)).rejects.toThrow('nightly-sweep-1');
  });

  test('goes on after those that the API knows, and is refused when the last one would be too long', async () => {
    const known = (last: number) => async (id: string) => Number(id.slice(id.lastIndexOf('-') + 1)) <= last;
    expect(await firstNumber('failover', 59, known(0))).toBe(1);
    expect(await firstNumber('failover', 59, known(12))).toBe(13);
    expect(await firstNumber('e'.repeat(48), 2, known(7))).toBe(8);
    await expect(firstNumber('e'.repeat(48), 2, known(8))).rejects.toThrow('e-10');
  });
});

describe('a refusal', () => {
  const passing: ProblemSlug[] = [
    'cluster-locked',
    'steady-state-not-met',
    'alarm-firing',
    'internal-error',
    'telemetry-unavailable',
    'control-plane-unknown',
    'announcement-not-delivered',
    // No start is answered so.
    'kill-switch-not-engaged',
  ];

  test('is tried again only where it says how things are now, or that the API failed', () => {
    for (const slug of Object.keys(PROBLEMS) as ProblemSlug[]) {
      const document = problem(slug, 'why');
      expect(mayPass({ status: document.status, body: document }), slug).toBe(passing.includes(slug));
    }
  });

  test('is tried again when something on the way was not available, and not when nobody can read it', () => {
    for (const status of [500, 502, 503, 504]) expect(mayPass({ status, body: undefined })).toBe(true);
    expect(mayPass({ status: 429, body: { message: 'Too Many Requests' } })).toBe(true);
    expect(mayPass({ status: 403, body: { message: 'Forbidden' } })).toBe(false);
    expect(mayPass({ status: 409, body: 'locked' })).toBe(false);
  });
});

describe('a role that is followed', () => {
  const member = (number: number, role: string, shard = 'shard-1'): SeenNode => ({
    name: `node-${number}`,
    shard,
    role,
  });
  const [one, two, three] = [member(1, 'slave'), member(2, 'master'), member(3, 'slave')];

  test('changes nothing while the first named node has it', () => {
    expect(findRole('slave', [{ impacted: [three], shardMembers: [one, two, three] }])).toEqual({ kind: 'NONE' });
    expect(findRole('master', [{ impacted: [two, three], shardMembers: [one, two, three] }])).toEqual({ kind: 'NONE' });
  });

  test('is found at another node of the same shard, never at one of another shard', () => {
    const elsewhere = member(0, 'master', 'shard-2');
    expect(findRole('master', [{ impacted: [three], shardMembers: [elsewhere, one, two, three] }])).toEqual({
      kind: 'SWAP',
      from: 'node-3',
      to: 'node-2',
    });
    expect(findRole('master', [{ impacted: [three], shardMembers: [elsewhere, one, three] }])).toMatchObject({
      kind: 'NOBODY',
      reason: 'no node of shard-1 is master now; its roles: slave',
    });
  });

  test('is looked for in every shard of a node that has a part in several', () => {
    const roles = (...list: [string, string][]) => list.map(([shard, role]) => ({ shard, role }));
    const broker = { name: 'broker-1', roles: roles(['p-1', 'follower'], ['p-2', 'follower']) };
    const leader = { name: 'broker-2', roles: roles(['p-1', 'follower'], ['p-2', 'leader']) };
    expect(findRole('leader', [{ impacted: [broker], shardMembers: [broker, leader] }])).toMatchObject({
      to: 'broker-2',
    });
    expect(findRole('follower', [{ impacted: [broker], shardMembers: [broker, leader] }])).toEqual({ kind: 'NONE' });
  });

  test('is nobody where nothing is known', () => {
    expect(findRole('master', [])).toMatchObject({ kind: 'NOBODY' });
    expect(findRole('master', [{ impacted: [three] }])).toMatchObject({ kind: 'NOBODY' });
  });
});
