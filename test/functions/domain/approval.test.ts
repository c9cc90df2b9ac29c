import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { approvalHash, identityOf, refuseApprover, refuseStanding } from '../../../functions/domain/approval.ts';
import { SEED_FAULT, seedExperiment } from './experiment-fixtures.ts';
import { EPOCH_MS, FACTS } from './fixtures.ts';

const session = (role: string, name: string) => `arn:aws:sts::111122223333:assumed-role/${role}/${name}`;
const SSO = 'AWSReservedSSO_Oncall_0123456789abcdef';

describe('who is behind a principal', () => {
  it.each([
    ['arn:aws:iam::111122223333:user/team/ana', 'arn:aws:iam::111122223333:user/team/ana'],
    ['arn:aws:iam::111122223333:root', 'arn:aws:iam::111122223333:root'],
    [session('sre-oncall', 'anything'), 'role sre-oncall of account 111122223333'],
    [session(SSO, 'Ana@example.com'), 'user ana@example.com of IAM Identity Center'],
    ['schedule/nightly', 'schedule/nightly'],
    ['arn:aws:sts::111122223333:federated-user/ana', undefined],
    ['ana', undefined],
    ['', undefined],
  ])('of %s is %s', (arn, identity) => expect(identityOf(arn)).toBe(identity));
});

describe('who may approve', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9@._-]{1,20}$/);
  const role = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,20}$/);

  it('is never the author, whatever name he gives to a session of his role', () => {
    const sessions = fc
      .tuple(role, name, name)
      .map(([of, one, other]) => [session(of, one), session(of, other)] as const);
    fc.assert(
      fc.property(sessions, ([author, approver]) => {
        expect(refuseApprover(identityOf(author) ?? '', approver)).toContain('asked for it');
      }),
    );
  });

  it('is never the author, by whatever permission set of IAM Identity Center he comes', () => {
    const both = fc
      .tuple(role, role, name)
      .map(
        ([one, other, user]) =>
          [session(`AWSReservedSSO_${one}_0`, user), session(`AWSReservedSSO_${other}_1`, user.toUpperCase())] as const,
      );
    fc.assert(
      fc.property(both, ([author, approver]) => {
        expect(refuseApprover(identityOf(author) ?? '', approver)).toContain('asked for it');
      }),
    );
  });

  it('is another user of the same permission set, and another user or role', () => {
    const author = identityOf(session(SSO, 'ana')) ?? '';
    for (const approver of [session(SSO, 'ben'), session('lead', 'ana'), 'arn:aws:iam::111122223333:user/ana'])
      expect(refuseApprover(author, approver)).toBeUndefined();
  });

  it('is nobody whose ARN does not show who he is, and no schedule', () => {
    expect(refuseApprover('x', 'arn:aws:sts::111122223333:federated-user/ben')).toContain('does not show who');
    expect(refuseApprover('x', 'schedule/nightly')).toContain('a schedule is nobody');
  });
});

describe('the hash of what is approved', () => {
  const hash = approvalHash(seedExperiment(), FACTS.targets);

  it('is the same in whatever order nodes were listed', () => {
    const turned = FACTS.targets.map((fault) => ({
      ...fault,
      peers: fault.peers.toReversed(),
      shardMembers: fault.shardMembers
        .toReversed()
        .map((node) => ({ ...node, addresses: node.addresses.toReversed() })),
    }));
    expect(approvalHash(seedExperiment(), turned)).toBe(hash);
  });

  it('is another one for anything that differs: duration, a parameter, a node, its instance, its role, what it will not survive', () => {
    const [target] = FACTS.targets;
    if (!target) throw new Error('no target');
    const onNode = (change: object) => [
      { ...target, impacted: target.impacted.map((node) => ({ ...node, ...change })) },
    ];
    const [parameters] = [{ ...SEED_FAULT.parameters, packetLossPct: 99 }];
    const others = [
      approvalHash({ ...seedExperiment(), durationSeconds: 61 }, FACTS.targets),
      approvalHash(
        { ...seedExperiment(), faults: [{ ...SEED_FAULT, parameters } as typeof SEED_FAULT] },
        FACTS.targets,
      ),
      approvalHash(seedExperiment('another_id'), FACTS.targets),
      approvalHash(seedExperiment(), onNode({ name: 'redis-node-9' })),
      approvalHash(seedExperiment(), onNode({ instanceId: 'i-9' })),
      approvalHash(seedExperiment(), onNode({ roles: [{ shard: 'shard-1', role: 'replica of another' }] })),
      approvalHash(seedExperiment(), []),
      approvalHash(seedExperiment(), FACTS.targets, ['orders: quorum would keep 1 of 3']),
      approvalHash(seedExperiment(), FACTS.targets, ['orders: orders-0 would keep 1 of 3']),
    ];
    expect(new Set([hash, ...others]).size).toBe(others.length + 1);
  });
});

describe('a standing approval', () => {
  const day = 86_400_000;
  const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);

  it('holds until the end of its last day, UTC, and not a millisecond longer', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), (nowMs) => {
        const by = 'arn:aws:iam::111122223333:user/ana';
        const endOfDayMs = Math.floor(nowMs / day) * day + day - 1;
        expect(refuseStanding({ by, until: dayOf(nowMs), hash: 'a' }, 'a', endOfDayMs)).toBeUndefined();
        expect(refuseStanding({ by, until: dayOf(nowMs), hash: 'a' }, 'a', endOfDayMs + 1)).toMatchObject({
          field: 'standingApproval.until',
        });
      }),
    );
  });

  it('that is not there is none', () =>
    expect(refuseStanding(undefined, 'a', EPOCH_MS)).toMatchObject({ field: 'standingApproval' }));
});
