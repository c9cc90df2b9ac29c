import { describe, expect, it } from 'vitest';
import { FAULT_KINDS, isFisFaultKind, isReplacedAfter } from '../../../functions/domain/faults/catalogue.ts';
import {
  refuseReplacement,
  type ScalingGroup,
  scalingGroupsHit,
  withoutTerminated,
} from '../../../functions/domain/scaling-groups.ts';
import { liveNode } from './target-fixtures.ts';

const SUSPENDED = ['Terminate', 'HealthCheck', 'ReplaceUnhealthy'];
const member = (number: number) => liveNode(number, { tags: { 'aws:autoscaling:groupName': 'stores' } });
const nodes = [liveNode(1), liveNode(2), member(3)];
const fault = (kind: (typeof FAULT_KINDS)[number], ...impactedNodes: string[]) => ({
  ...{ faultId: 'exp.1', kind, impactedNodes },
});
const group = (change: Partial<ScalingGroup> = {}): ScalingGroup => ({
  ...{ name: 'stores', healthChecks: ['EC2'], suspendedProcesses: [] },
  keeps: { desiredCapacity: 1, inService: ['i-3'] },
  ...change,
});
const refusal = (
  kind: (typeof FAULT_KINDS)[number],
  groups: ScalingGroup[],
  node = 'redis-node-3',
  minGraceSeconds?: number,
) => refuseReplacement([fault(kind, node)], nodes, groups, minGraceSeconds);

describe('a member of an Auto Scaling group', () => {
  it.each(FAULT_KINDS.filter((kind) => !isReplacedAfter(kind)))(
    'is never replaced for %s: refused where the group looks at its health and acts',
    (kind) => {
      const looksInside = group({ healthChecks: ['EC2', 'ELB'] });
      expect(refusal(kind, [looksInside])).toContain(
        'the Auto Scaling group stores could replace redis-node-3 (health checks: EC2, ELB); suspend its Terminate, HealthCheck, ReplaceUnhealthy',
      );
      expect(refusal(kind, [{ ...looksInside, suspendedProcesses: SUSPENDED }])).toBeUndefined();
      // EC2's status checks see no store.
      if (isFisFaultKind(kind)) expect(refusal(kind, [group()])).toContain('could replace');
      else expect(refusal(kind, [group()])).toBeUndefined();
    },
  );

  it.each(SUSPENDED)('is refused while %s alone still runs', (running) => {
    const suspendedProcesses = ['AZRebalance', ...SUSPENDED.filter((process) => process !== running)];
    expect(refusal('INSTANCE_STOP', [group({ suspendedProcesses })])).toContain(`suspend its ${running}`);
  });

  it('is refused where its group gives it less grace than is asked for, also one that replaces nobody now', () => {
    const refused = (healthCheckGraceSeconds?: number) =>
      refusal(
        'PROCESS_KILL',
        [
          group({
            suspendedProcesses: SUSPENDED,
            ...(healthCheckGraceSeconds === undefined ? {} : { healthCheckGraceSeconds }),
          }),
        ],
        'redis-node-3',
        1800,
      );
    expect(refused(1799)).toBe(
      'exp.1: the Auto Scaling group stores of redis-node-3 has a HealthCheckGracePeriod of 1799 s, and at least 1800 s are asked for (minHealthCheckGraceSeconds)',
    );
    expect(refused()).toContain('a HealthCheckGracePeriod of 0 s');
    expect(refused(1800)).toBeUndefined();
    expect(refusal('PROCESS_KILL', [], 'redis-node-1', 1800)).toBeUndefined();
  });

  it('is terminated only where its group is there to replace it, and gives it grace enough', () => {
    const terminated = (change: Partial<ScalingGroup>, grace?: number) =>
      refusal('INSTANCE_TERMINATE', [group(change)], 'redis-node-3', grace);
    expect(terminated({})).toBeUndefined();
    expect(terminated({ healthChecks: ['EC2', 'ELB'], suspendedProcesses: ['AZRebalance'] })).toBeUndefined();
    for (const process of [...SUSPENDED, 'Launch'])
      expect(terminated({ suspendedProcesses: [process] })).toBe(
        `exp.1: the Auto Scaling group stores would not replace redis-node-3; resume its ${process}`,
      );
    const kept = (desiredCapacity: number, ...inService: string[]) =>
      terminated({ keeps: { desiredCapacity, inService } });
    expect(kept(2, 'i-3', 'i-4')).toBeUndefined();
    expect(kept(1, 'i-3', 'i-4')).toContain('it keeps 1 instances, and 2 are in service');
    expect(kept(1, 'i-4')).toContain('it is not InService there');
    const { keeps: _keeps, ...untold } = group();
    expect(refusal('INSTANCE_TERMINATE', [untold])).toContain('it is not InService there');
    expect(terminated({ name: 'other' })).toContain('of which AWS tells nothing');
    expect(terminated({}, 1800)).toContain('a HealthCheckGracePeriod of 0 s');
    expect(refusal('INSTANCE_TERMINATE', [group()], 'redis-node-1')).toBe(
      'exp.1: redis-node-1 is in no Auto Scaling group: nobody would replace it',
    );
  });

  it('is asked about no more once it was terminated: the new instance may have its name', () => {
    const termination = fault('INSTANCE_TERMINATE', 'redis-node-3');
    const stop = { ...fault('INSTANCE_STOP', 'redis-node-3'), faultId: 'exp.2' };
    expect(withoutTerminated([termination, stop], [])).toEqual([termination, stop]);
    expect(withoutTerminated([termination, stop], ['exp.1', 'exp.2'])).toEqual([stop]);
  });

  it('is refused when nothing is known of its group, and one in no group is not', () => {
    expect(refusal('PROCESS_KILL', [group({ name: 'other' })])).toContain('of which AWS tells nothing');
    expect(refusal('INSTANCE_STOP', [], 'redis-node-1')).toBeUndefined();
  });

  it('is looked for among all nodes of a host that is hit, and only there', () => {
    const twin = { ...member(3), name: 'redis-node-3:6380' };
    expect(scalingGroupsHit([fault('INSTANCE_STOP', 'redis-node-3')], [...nodes, twin])).toEqual(['stores']);
    expect(scalingGroupsHit([fault('INSTANCE_STOP', 'redis-node-1')], [...nodes, twin])).toEqual([]);
    expect(refuseReplacement([fault('INSTANCE_STOP', 'redis-node-3')], [...nodes, twin], [group()])).toContain(
      'redis-node-3:6380',
    );
  });
});
